// A proxy for one PostgreSQL server: clients that cannot sign in with a token are signed in by it.
//
// | a client's first packet | then |
// |---|---|
// | a request for TLS or GSS | no, and it goes on: the connection ends on this machine |
// | the key of a session, to cancel its query | passed on, where the session is one of this proxy's |
// | user, database and others | its password is judged where there is a secret; the server is signed in to with a token |
// | anything else | the connection ends |

import type { Server, Socket } from "node:net";
import { isOidcError, OidcError } from "../../core/errors.ts";
import { isSecret } from "../admission.ts";
import { joinStreams } from "../join-streams.ts";
import { ByteReader, ReadFault } from "./byte-reader.ts";
import {
  errorMessage,
  keyOf,
  maxStartupBytes,
  messageOf,
  passwordRequest,
  readPassword,
  readStartup,
  withDatabase,
  type StartupPacket,
} from "./messages.ts";
import type { ServerSignIns } from "./server-sign-in.ts";

/** What a proxy is made of. */
export interface PostgresProxyParts {
  readonly signIns: ServerSignIns;
  /** The database of clients that name none; empty: the server decides. */
  readonly database: string;
  /** What clients show as their password; undefined where the rights of a folder keep others out. */
  readonly secret: string | undefined;
  readonly words: (error: OidcError) => string;
  readonly onFailure: (error: OidcError) => void;
}

/** For a client to say who it is, and for the server to decide. */
const helloMilliseconds = 15_000;
const signInMilliseconds = 60_000;
const maxRequestsForEncryption = 2;

/** What a client is told, as a SQLSTATE. */
const states = { refused: "28000", wrongPassword: "28P01", unreachable: "08006", unread: "08P01" };

/** Serves clients. */
export class PostgresProxy {
  readonly #parts: PostgresProxyParts;
  /** Of the sessions that go on. */
  readonly #keys = new Set<string>();

  constructor(parts: PostgresProxyParts) {
    this.#parts = parts;
  }

  /** One that does not listen yet. */
  createServer(): Server {
    const { createServer } = process.getBuiltinModule("node:net");
    return createServer({ noDelay: true }, (socket) => void this.serve(socket));
  }

  /** One client, until its session runs by itself. Never rejects. */
  async serve(client: Socket): Promise<void> {
    const gone = new AbortController();
    client.on("error", () => {});
    client.once("close", () => gone.abort(new Error("The client has gone.")));
    const late = setTimeout(() => client.destroy(), helloMilliseconds);
    try {
      const reader = new ByteReader(client);
      const packet = await this.#hello(client, reader);
      clearTimeout(late);
      if (packet.kind === "cancel") await this.#cancel(packet, gone.signal);
      else await this.#session(packet, client, reader, gone.signal);
    } catch (error) {
      this.#fail(error, client, gone.signal);
    } finally {
      clearTimeout(late);
    }
  }

  /** The packet that says what the client wants, and that it may. */
  async #hello(
    client: Socket,
    reader: ByteReader,
  ): Promise<Extract<StartupPacket, { kind: "startup" | "cancel" }>> {
    for (let asked = 0; asked <= maxRequestsForEncryption; asked += 1) {
      const head = await reader.bytes(4);
      const length = head.readInt32BE(0);
      if (length < 8 || length > maxStartupBytes) throw new ReadFault("no first packet");
      const packet = readStartup(Buffer.concat([head, await reader.bytes(length - 4)]));
      if (packet.kind === "unknown") throw new ReadFault("no first packet that is known");
      if (packet.kind === "cancel") return packet;
      if (packet.kind === "startup") {
        await this.#judge(client, reader);
        return packet;
      }
      client.write("N");
    }
    throw new ReadFault("nothing but requests for encryption");
  }

  async #judge(client: Socket, reader: ByteReader): Promise<void> {
    const { secret } = this.#parts;
    if (secret === undefined) return;
    client.write(passwordRequest);
    const shown = readPassword(await reader.message());
    if (isSecret(shown ?? "", secret)) return;
    throw new WrongPassword("This proxy wants its secret as the password.");
  }

  async #session(
    packet: Extract<StartupPacket, { kind: "startup" }>,
    client: Socket,
    reader: ByteReader,
    gone: AbortSignal,
  ): Promise<void> {
    const { signIns, database } = this.#parts;
    const limit = AbortSignal.timeout(signInMilliseconds);
    const signal = AbortSignal.any([gone, limit]);
    const outcome = await signIns.signIn(withDatabase(packet, database), signal);
    if (outcome.kind === "refused") {
      client.end(outcome.error);
      return;
    }
    const { socket, held } = outcome;
    if (gone.aborted) {
      socket.destroy();
      return;
    }
    client.once("close", () => socket.destroy());
    client.write(held);
    const key = await this.#untilReady(outcome.reader, client);
    outcome.reader.release();
    reader.release();
    if (key !== undefined) {
      this.#keys.add(key);
      socket.once("close", () => this.#keys.delete(key));
    }
    joinStreams(client, socket);
  }

  /** Passes on what comes before the first query; gives the session's key. */
  async #untilReady(server: ByteReader, client: Socket): Promise<string | undefined> {
    let key: string | undefined;
    for (;;) {
      const { type, body } = await server.message();
      client.write(messageOf(type, body));
      if (type === "K") key = keyOf(body);
      if (type === "Z" || type === "E") return key;
    }
  }

  /** The server answers nothing, and ends the connection. */
  async #cancel(
    { whole, key }: Extract<StartupPacket, { kind: "cancel" }>,
    signal: AbortSignal,
  ): Promise<void> {
    if (!this.#keys.has(key)) throw new ReadFault("no session of this proxy");
    const { socket } = await this.#parts.signIns.connect(signal);
    signal.addEventListener("abort", () => socket.destroy(), { once: true });
    socket.resume().end(whole);
    await new Promise<void>((resolve) => socket.once("close", () => resolve()));
    throw new ReadFault("it is done");
  }

  #fail(error: unknown, client: Socket, gone: AbortSignal): void {
    if (gone.aborted || error instanceof ReadFault) {
      client.destroy();
      return;
    }
    if (error instanceof WrongPassword) {
      client.end(errorMessage(states.wrongPassword, error.message));
      return;
    }
    const known = isOidcError(error)
      ? error
      : new OidcError("timeout", "The server did not decide in time.", { reason: "operation" });
    this.#parts.onFailure(known);
    const isConnection = ["network", "timeout", "tls"].includes(known.code);
    const state = isConnection ? states.unreachable : states.refused;
    client.end(errorMessage(state, `latchkey proxy: ${this.#parts.words(known)}`));
  }
}

class WrongPassword extends Error {}
