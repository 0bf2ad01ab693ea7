// Whose port it is: real sockets, real clusters. Changes when a rule of L01 to L05 does.
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle-module.ts";
import {
  createListeners,
  holdPort,
  send,
  sendGenuine,
} from "../../test/support/callback-listener.ts";
import { isOidcError } from "../core/errors.ts";

const { open, closeAll } = createListeners();
afterEach(closeAll);

test("answers on its own address alone [L01]", async () => {
  const listener = await open();
  const others = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, family, scopeid }) => !internal && (family === "IPv4" || !scopeid))
    .map(({ address }) => address);
  for (const host of ["127.0.0.2", ...others]) {
    const [error] = await once(connect({ port: listener.port, host }), "error").catch(
      (thrown: unknown) => [thrown],
    );
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
  }
  expect((await send(listener, "/")).status).toBe(404);
});

test("localhost is both loopback addresses on one port [L02]", async () => {
  const listener = await open({ host: "localhost" });
  expect(listener.authority).toBe(`localhost:${listener.port}`);
  for (const host of ["127.0.0.1", "::1"]) {
    const { status } = await send(listener, "/callback?state=x", {
      host,
      headers: { Host: listener.authority },
    });
    expect(status).toBe(400);
  }
});

test.for(["127.0.0.1", "::1"])(
  "localhost is refused while a stranger has %s [L02]",
  async (host) => {
    const stranger = await holdPort(host);
    await expect(open({ host: "localhost", ports: [stranger.port] })).rejects.toMatchObject({
      code: "callback_port_in_use",
    });
    await stranger.free();
    const listener = await open({ host: "localhost", ports: [stranger.port] });
    expect(listener.port).toBe(stranger.port);
  },
);

test("a taken port is named with the option, before anything else happens [L03]", async () => {
  const holder = await holdPort("127.0.0.1");
  const error = await open({ ports: [holder.port] }).catch((thrown: unknown) => thrown);
  expect(isOidcError(error) && error.code).toBe("callback_port_in_use");
  expect(isOidcError(error) && error.retryable).toBe(true);
  expect(String(error)).toContain(`Port ${holder.port} on 127.0.0.1 is taken`);
  expect(String(error)).toContain("callbackPort");
  await holder.free();
});

test("of several ports the first free one is taken [L03]", async () => {
  const first = await holdPort("127.0.0.1");
  const second = await holdPort("127.0.0.1");
  await second.free();
  const listener = await open({ ports: [first.port, second.port] });
  expect(listener.port).toBe(second.port);
  await first.free();
});

test("an interface that this machine does not have is said to be just that", async () => {
  await expect(open({ host: "203.0.113.7", ports: [8765] })).rejects.toMatchObject({
    code: "callback_port_in_use",
    reason: "listener_failed",
    message: expect.stringContaining("Set `callbackHost` to an address of this machine"),
  });
});

test("port 0: the announced port is the one that listens [L04]", async () => {
  const listener = await open();
  expect(listener.port).toBeGreaterThan(0);
  expect(listener.authority).toBe(`127.0.0.1:${listener.port}`);
  const location = await sendGenuine(listener);
  expect(location).toMatch(/^\//u);
});

test("IPv6 has its brackets, and an interface for all keeps the loopback redirect", async () => {
  const six = await open({ host: "::1" });
  expect(six.authority).toBe(`[::1]:${six.port}`);
  const { status } = await send(six, "/callback", {
    host: "::1",
    headers: { Host: six.authority },
  });
  expect(status).toBe(400);
  const all = await open({ host: "0.0.0.0" });
  expect(all.authority).toBe(`127.0.0.1:${all.port}`);
  expect((await send(all, "/callback")).status).toBe(400);
});

test("nobody else gets the port while we listen [L05]", async () => {
  const listener = await open();
  await expect(holdPort("127.0.0.1", listener.port)).rejects.toMatchObject({ code: "EADDRINUSE" });
});

test("workers of one cluster do not share the port [L05]", async () => {
  const free = await holdPort("127.0.0.1");
  await free.free();
  const module = await bundleModule(
    fileURLToPath(new URL("../../test/support/listener-process.ts", import.meta.url)),
  );
  const { stdout } = await promisify(execFile)(process.execPath, [
    module,
    "cluster",
    String(free.port),
  ]);
  expect(stdout).toBe("open callback_port_in_use");
});
