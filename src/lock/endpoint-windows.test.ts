import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";

import { describe, expect, test } from "vitest";

import { createManualClock } from "../../test/support/manual-clock.ts";
import type { Clock } from "../core/clock.ts";
import { systemClock } from "../core/clock.ts";
import { createWindowsEndpoint, windowsAddress } from "./endpoint-windows.ts";
import type { Endpoint } from "./endpoint.ts";

const id = randomBytes(64).toString("hex");

/** Pipes of Windows are abstract sockets here. */
function endpoint(clock: Clock = systemClock): Endpoint {
  return createWindowsEndpoint({
    clock,
    addressOf: (name) => `\0latchkey.pipe.${name}`.slice(0, 108),
  });
}

test("a pipe is named after all 512 bits, in the folder of this machine's pipes", () => {
  expect(windowsAddress(id)).toBe(`\\\\.\\pipe\\latchkey.1.${id}`);
  // Microsoft's CreateNamedPipe: "The entire pipe name string can be up to 256 characters long."
  expect(windowsAddress(id).length).toBeLessThanOrEqual(256);
});

describe.runIf(process.platform === "linux")("with a Unix socket for a pipe", () => {
  test("is taken once, held then, reached, and gone after it was freed", async () => {
    const taken = await endpoint().take(id, (socket) => socket.end("welcome"));
    if (taken.state !== "taken") throw new Error(taken.state);
    expect(await endpoint().take(id, () => undefined)).toMatchObject({
      state: "held",
      mayBeForeign: true,
    });
    const reached = await endpoint().reach(id);
    if (reached.state !== "connected") throw new Error(reached.state);
    const [chunk] = (await once(reached.socket, "data")) as [Buffer];
    expect(chunk.toString()).toBe("welcome");
    reached.socket.destroy();
    await taken.hold.free();
    expect(await endpoint().reach(id)).toEqual({ state: "gone" });
  });

  test("does not count as free while a connection is open", async () => {
    let accepted: Socket | undefined;
    let connected: () => void = () => undefined;
    const connection = new Promise<void>((resolve) => (connected = resolve));
    const taken = await endpoint().take(id, (socket) => {
      accepted = socket;
      connected();
    });
    if (taken.state !== "taken") throw new Error(taken.state);
    expect(taken.hold.keptByConnections).toBe(true);
    const reached = await endpoint().reach(id);
    await connection;
    let isFree = false;
    const freed = taken.hold.free().then(() => (isFree = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFree).toBe(false);
    accepted?.destroy();
    await freed;
    if (reached.state === "connected") reached.socket.destroy();
  });

  test("does not wait for a holder that lets nobody in", async () => {
    const taken = await endpoint().take(id, () => undefined);
    // Time is up before the connection can be made.
    const clock: Clock = { ...systemClock, sleep: () => Promise.resolve() };
    expect(await endpoint(clock).reach(id)).toEqual({ state: "busy" });
    if (taken.state === "taken") await taken.hold.free();
  });

  test("leaves no timer behind", async () => {
    const clock = createManualClock();
    expect(await endpoint(clock).reach(id)).toEqual({ state: "gone" });
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.sleeping).toBe(0);
  });
});
