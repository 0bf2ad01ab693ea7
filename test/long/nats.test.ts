// NATS' client and a real server: the token of that moment at each connection.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect, tokenAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { expect, onTestFinished, test } from "vitest";
import { tokenSource } from "../../src/adapters/nats.ts";
import { OidcAuth } from "../../src/index.ts";
import { startTestProvider } from "../../src/testing/index.ts";
import { needs } from "../support/debian-packages.ts";
import { freePort } from "../support/free-port.ts";

const nats = needs("nats");

/** A server that takes one token; `accept` changes which, and ends the connections of the one before. */
async function startServer(token: string) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-nats-"));
  const file = join(folder, "server.conf");
  const port = await freePort();
  const write = (accepted: string): void =>
    writeFileSync(file, `listen: "127.0.0.1:${port}"\nauthorization { token: "${accepted}" }\n`);
  write(token);
  const child = spawn(nats.path, ["-c", file], { stdio: ["ignore", "ignore", "pipe"] });
  const lines = createInterface(child.stderr);
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    rmSync(folder, { recursive: true, force: true });
  });
  const says = (words: string): Promise<void> =>
    new Promise((resolve) => {
      lines.on("line", (line) => {
        if (line.includes(words)) resolve();
      });
    });
  await says("Server is ready");
  return {
    address: `127.0.0.1:${port}`,
    accept: async (accepted: string): Promise<void> => {
      write(accepted);
      const reloaded = says("Reloaded server configuration");
      child.kill("SIGHUP");
      await reloaded;
    },
  };
}

async function comesBack(connection: NatsConnection): Promise<void> {
  for await (const { type } of connection.status()) if (type === "reconnect") return;
}

async function echoes(connection: NatsConnection): Promise<string> {
  const subscription = connection.subscribe("letters", { max: 1 });
  await connection.flush();
  connection.publish("letters", "a message");
  for await (const message of subscription) return message.string();
  return "the connection ended";
}

test.skipIf(!nats.available)("a connection comes back with the token of that moment", async () => {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  const { token: first } = await auth.getToken();
  const server = await startServer(first);
  const connection = await connect({
    servers: server.address,
    authenticator: tokenAuthenticator(await tokenSource(auth)),
    reconnectTimeWait: 100,
    maxReconnectAttempts: -1,
  });
  onTestFinished(() => connection.close());
  expect(await echoes(connection)).toBe("a message");

  const { token: second } = await auth.getToken({ rejectedToken: first });
  expect(second).not.toBe(first);
  const isBack = comesBack(connection);
  await server.accept(second);
  await isBack;
  expect(await echoes(connection)).toBe("a message");
  // The one before is no good any more: whoever brings it is refused.
  const old = connect({
    servers: server.address,
    authenticator: tokenAuthenticator(() => first),
    reconnect: false,
  });
  await expect(old).rejects.toThrow(/authoriz/i);
});
