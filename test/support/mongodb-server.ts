// A server that speaks as much of MongoDB's wire as a sign-in by MONGODB-OIDC and a ping need: the one that is free to
// use has no such sign-in. Changes when a test wants another command.

import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { BSON } from "mongodb";

type Document = Record<string, unknown>;

export interface MongodbServer {
  readonly url: string;
  /** The tokens that came, each with whether it was taken. */
  readonly tokens: readonly { readonly token: string; readonly isTaken: boolean }[];
  /** The next command is answered with "authenticate again". */
  endSessions(): void;
  close(): Promise<void>;
}

const operationQuery = 2004;
const operationReply = 1;
const operationMessage = 2013;
const headerBytes = 16;

/** What a message asks; the driver's first one has the old form. */
function commandOf(message: Buffer): Document {
  if (message.readInt32LE(12) !== operationQuery) return BSON.deserialize(message.subarray(21));
  const nameEnd = message.indexOf(0, headerBytes + 4);
  return BSON.deserialize(message.subarray(nameEnd + 1 + 8));
}

function replyTo(message: Buffer, answer: Document): Buffer {
  const body = BSON.serialize(answer);
  const isQuery = message.readInt32LE(12) === operationQuery;
  const head = Buffer.alloc(isQuery ? 36 : 21);
  head.writeInt32LE(head.length + body.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(isQuery ? operationReply : operationMessage, 12);
  // One document.
  if (isQuery) head.writeInt32LE(1, 32);
  return Buffer.concat([head, body]);
}

const greeting = {
  ok: 1,
  helloOk: true,
  isWritablePrimary: true,
  ismaster: true,
  minWireVersion: 0,
  maxWireVersion: 21,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
};

/** @param accepts whether a token is good. */
export async function startMongodbServer(
  accepts: (token: string) => boolean,
): Promise<MongodbServer> {
  const tokens: { token: string; isTaken: boolean }[] = [];
  let endsNext = false;

  const authenticate = (payload: unknown): Document => {
    const bytes = (payload as { readonly buffer: Uint8Array }).buffer;
    const { jwt: token }: Document = BSON.deserialize(bytes);
    if (typeof token !== "string") {
      const provider = { issuer: "https://id.example.com", clientId: "mongodb" };
      const said = new BSON.Binary(BSON.serialize(provider));
      return { ok: 1, conversationId: 1, done: false, payload: said };
    }
    const isTaken = accepts(token);
    tokens.push({ token, isTaken });
    return isTaken
      ? { ok: 1, conversationId: 1, done: true, payload: new BSON.Binary(Buffer.alloc(0)) }
      : { ok: 0, code: 18, codeName: "AuthenticationFailed", errmsg: "bad token" };
  };

  const answer = (command: Document): Document => {
    const [name = ""] = Object.keys(command);
    if (/^(hello|ismaster)$/i.test(name)) {
      const early = command["speculativeAuthenticate"] as Document | undefined;
      const result = early === undefined ? undefined : authenticate(early["payload"]);
      return result?.["ok"] === 1 ? { ...greeting, speculativeAuthenticate: result } : greeting;
    }
    if (name === "saslStart" || name === "saslContinue") return authenticate(command["payload"]);
    if (name === "ping" && endsNext) {
      endsNext = false;
      return { ok: 0, code: 391, codeName: "ReauthenticationRequired", errmsg: "expired" };
    }
    return { ok: 1 };
  };

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let received = Buffer.alloc(0);
    socket.on("error", () => undefined);
    socket.on("data", (bytes) => {
      received = Buffer.concat([received, bytes]);
      while (received.length >= headerBytes && received.length >= received.readInt32LE(0)) {
        const message = received.subarray(0, received.readInt32LE(0));
        received = received.subarray(message.length);
        socket.write(replyTo(message, answer(commandOf(message))));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `mongodb://127.0.0.1:${String(port)}/?authMechanism=MONGODB-OIDC&directConnection=true`,
    tokens,
    endSessions: () => {
      endsNext = true;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}
