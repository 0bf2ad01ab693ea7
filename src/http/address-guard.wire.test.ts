// Addresses that must not be connected to: what their servers see of it.

import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { expect, onTestFinished, test } from "vitest";
import { makeClient } from "../../test/support/http-client.ts";
import { isOidcError } from "../core/errors.ts";
import type { AddressGuard } from "./address-guard.ts";

async function scene(guard: AddressGuard) {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const client = makeClient({ guard });
  const ask = async (host: string): Promise<unknown> => {
    try {
      const url = `http://${host}:${String(port)}/`;
      return (await client.send({ method: "GET", url, step: "discovery" })).status;
    } catch (error) {
      return isOidcError(error) ? [error.code, error.reason, error.retryable] : error;
    }
  };
  return { ask, connections: () => connections };
}

test.each(["127.0.0.1", "localhost", "below.localhost"])(
  "%s is refused by the address that it leads to, and nothing is sent there [D18]",
  async (host) => {
    const seen: string[] = [];
    const { ask, connections } = await scene((address, hostname) => {
      seen.push(`${hostname} ${address}`);
      return false;
    });
    expect(await ask(host)).toEqual(["endpoint_invalid", "blocked_address", false]);
    expect([connections(), seen.includes(`${host} 127.0.0.1`)]).toEqual([0, true]);
  },
);

test("of several addresses one that is allowed is connected to [D18]", async () => {
  const { ask, connections } = await scene((address) => address === "127.0.0.1");
  expect([await ask("localhost"), connections()]).toEqual([200, 1]);
});
