// Servers and clients of PostgreSQL that do not do what they should: no token goes where it must not, and nothing passes
// before a server has accepted it.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../core/clock.ts";
import type { OidcError } from "../../core/errors.ts";
import type { AccessToken } from "../../core/types.ts";
import { createHttpClient } from "../../http/client.ts";
import { ProxyTokens } from "../proxy-tokens.ts";
import { maxMessageBytes, messageOf, tlsRequest } from "./messages.ts";
import { PostgresProxy } from "./postgres-proxy.ts";
import { ServerSignIns } from "./server-sign-in.ts";

const token = "the-token";

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

interface Scene {
  /** What a client that sends this gets until the connection ends. */
  ask(first: Buffer): Promise<string>;
  /** What the server has received, of all connections. */
  received(): Buffer;
  readonly failures: OidcError[];
}

/** A proxy before a server that answers each piece of what it receives as `answer` says. */
async function scene(
  scheme: "http" | "https",
  answer: (piece: Buffer, socket: Socket) => void,
): Promise<Scene> {
  const pieces: Buffer[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    socket.on("data", (piece) => {
      pieces.push(piece);
      answer(piece, socket);
    });
  });
  const upstream = new URL(`${scheme}://127.0.0.1:${await listening(server)}`);
  const dialer = createHttpClient({
    clock: systemClock,
    logger: undefined,
    timeoutSeconds: 5,
    caCertPath: undefined,
    allowInsecureHttp: false,
    environment: {},
    randomBytes: (length) => new Uint8Array(length),
  });
  const given = { token, tokenType: "Bearer", scopes: [], expiresAt: undefined, source: "cache" };
  const getToken = async (): Promise<AccessToken> => given as unknown as AccessToken;
  const tokens = new ProxyTokens({ getToken }, systemClock);
  const failures: OidcError[] = [];
  const onFailure = (error: OidcError): void => void failures.push(error);
  const signIns = new ServerSignIns({ url: upstream, isDirect: false }, tokens, dialer, onFailure);
  const words = ({ message }: OidcError): string => message;
  const proxy = new PostgresProxy({ signIns, database: "", secret: undefined, words, onFailure });
  const port = await listening(proxy.createServer());
  return {
    failures,
    received: () => Buffer.concat(pieces),
    ask: async (first) => {
      const client = connect(port, "127.0.0.1");
      let said = "";
      client.setEncoding("latin1").on("data", (text: string) => (said += text));
      client.on("error", () => undefined);
      client.write(first);
      await once(client, "close");
      return said;
    },
  };
}

function packet(code: number, body: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + Buffer.byteLength(body));
  head.writeInt32BE(code, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}

const startup = packet(3 << 16, "user\0ann\0\0");
const wants = (code: number, more = ""): Buffer =>
  messageOf("R", Buffer.concat([Buffer.from([0, 0, 0, code]), Buffer.from(more)]));
const wantsToken = wants(10, "OAUTHBEARER\0\0");

test.each([
  ["offers no TLS", "N", "offers no TLS"],
  ["has sent something before TLS (CVE-2021-23222)", "SR", "did not answer as PostgreSQL does"],
  ["says something else", "E", "did not answer as PostgreSQL does"],
])("[X11] a server that %s gets no token", async (_what, said, told) => {
  const at = await scene("https", (_piece, socket) => void socket.write(said));
  expect(await at.ask(startup)).toContain(told);
  expect(at.received()).toEqual(tlsRequest);
});

test("[X12] a server that asks for a password instead gets none", async () => {
  const at = await scene("http", (_piece, socket) => void socket.write(wants(3)));
  expect(await at.ask(startup)).toContain("does not take a token");
  expect(at.received()).toEqual(startup);
});

test("[X12] what a server says before it has decided reaches no client, where it refuses or says too much", async () => {
  const status = messageOf("S", Buffer.from("early\0x\0"));
  const refusal = messageOf("E", Buffer.from("SFATAL\0C28000\0Mno\0\0"));
  const refusing = await scene("http", (piece, socket) => {
    if (piece.equals(startup)) socket.write(Buffer.concat([status, wantsToken]));
    else socket.end(refusal);
  });
  const said = await refusing.ask(startup);
  expect(said).toBe(refusal.toString("latin1"));
  expect(refusing.received().includes(`auth=Bearer ${token}`)).toBe(true);

  const endless = messageOf("S", Buffer.alloc(maxMessageBytes - 10, "early"));
  const talking = await scene("http", (_piece, socket) => {
    for (let times = 0; times < 3; times += 1) socket.write(endless);
  });
  expect(await talking.ask(startup)).not.toContain("early");
  expect(talking.received()).toEqual(startup);
});

test("[X13] a query of somebody else's session is not cancelled", async () => {
  const at = await scene("http", () => undefined);
  expect(await at.ask(packet(80_877_102, "12345678"))).toBe("");
  expect(at.received()).toHaveLength(0);
});

test("[X14] a client that sends nonsense reaches no server", async () => {
  const at = await scene("http", () => undefined);
  for (const first of ["GET / HTTP/1.1\r\n\r\n", "\0\0\0\u0004", "\u007fELF12345678"]) {
    expect(await at.ask(Buffer.from(first, "latin1"))).toBe("");
  }
  expect(at.received()).toHaveLength(0);
});
