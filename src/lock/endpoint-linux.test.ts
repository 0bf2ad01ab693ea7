import { randomBytes } from "node:crypto";
import { once } from "node:events";

import { describe, expect, test } from "vitest";

import { createAbstractEndpoint, linuxAddress } from "./endpoint-linux.ts";
import { listenAt } from "./local-socket.ts";

function someId(): string {
  return randomBytes(64).toString("hex");
}

test("an address is a NUL and 107 bytes, full length, so that all versions of Node exclude each other", () => {
  const address = linuxAddress(someId());
  expect(Buffer.byteLength(address)).toBe(108);
  expect(address).toMatch(/^\0latchkey\.1\.[0-9a-f]{96}$/);
});

describe.runIf(process.platform === "linux")("an abstract socket on Linux", () => {
  const endpoint = createAbstractEndpoint();

  test("an address is taken once, held then, and free as soon as it is closed", async () => {
    const id = someId();
    const taken = await endpoint.take(id, () => undefined);
    if (taken.state !== "taken") throw new Error(taken.state);
    expect(await endpoint.take(id, () => undefined)).toMatchObject({
      state: "held",
      mayBeForeign: true,
    });
    // Not even awaited: closing frees the name at once.
    void taken.hold.free();
    const again = await endpoint.take(id, () => undefined);
    expect(again.state).toBe("taken");
    if (again.state === "taken") await again.hold.free();
  });

  test("a holder is reached; one that has gone is gone", async () => {
    const id = someId();
    expect(await endpoint.reach(id)).toEqual({ state: "gone" });
    const taken = await endpoint.take(id, (socket) => socket.end("welcome"));
    if (taken.state !== "taken") throw new Error(taken.state);
    const reached = await endpoint.reach(id);
    if (reached.state !== "connected") throw new Error(reached.state);
    const [chunk] = (await once(reached.socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("welcome");
    reached.socket.destroy();
    await taken.hold.free();
  });

  test("what the system does not allow is said, not thrown", async () => {
    const listening = await listenAt("/proc/absent/socket", () => undefined);
    expect(listening).toMatchObject({
      state: "unavailable",
      why: expect.stringMatching(/^E[A-Z]+$/),
    });
  });
});
