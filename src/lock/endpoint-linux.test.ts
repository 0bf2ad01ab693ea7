import { randomBytes } from "node:crypto";
import { once } from "node:events";

import { describe, expect, test } from "vitest";

import { reachAddress, takeAddress } from "./endpoint-linux.ts";

function someAddress(): string {
  return `\0latchkey.1.${randomBytes(48).toString("hex")}`;
}

describe.runIf(process.platform === "linux")("on Linux", () => {
  test("an address is taken once, held then, and free as soon as it is closed", async () => {
    const address = someAddress();
    const taken = await takeAddress(address, () => undefined);
    if (taken.state !== "taken") throw new Error(taken.state);
    expect(await takeAddress(address, () => undefined)).toEqual({ state: "held" });
    // Not even awaited: closing frees the name at once.
    taken.server.close();
    const again = await takeAddress(address, () => undefined);
    expect(again.state).toBe("taken");
    if (again.state === "taken") again.server.close();
  });

  test("a holder is reached; one that has gone is gone", async () => {
    const address = someAddress();
    expect(await reachAddress(address)).toEqual({ state: "gone" });
    const taken = await takeAddress(address, (socket) => socket.end("welcome"));
    if (taken.state !== "taken") throw new Error(taken.state);
    const reached = await reachAddress(address);
    if (reached.state !== "connected") throw new Error(reached.state);
    const [chunk] = (await once(reached.socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("welcome");
    reached.socket.destroy();
    taken.server.close();
  });

  test("what the system does not allow is said, not thrown", async () => {
    const taken = await takeAddress("/proc/absent/socket", () => undefined);
    expect(taken).toMatchObject({ state: "unavailable", why: expect.stringMatching(/^E[A-Z]+$/) });
  });
});
