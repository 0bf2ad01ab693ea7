// One connection to a PostgreSQL server, signed in with a token by OAUTHBEARER.

import type { Socket } from "node:net";
import { OidcError, sanitizeProviderText } from "../../core/errors.ts";
import { hostAndPort } from "../../core/hosts.ts";
import { serverSteps } from "../../core/server-steps.ts";
import { AuthorizedExchanges } from "../../fetch/authorized-exchange.ts";
import type { Dialled, Dialer } from "../../http/exchange.ts";
import type { ProxyTokens } from "../proxy-tokens.ts";
import { ByteReader, ReadFault } from "./byte-reader.ts";
import {
  bearerMessage,
  maxMessageBytes,
  mechanism,
  messageOf,
  readAuthentication,
  refusalSeen,
  tlsRequest,
  type Message,
} from "./messages.ts";

/** Which server, and how TLS with it begins. */
export interface PostgresServer {
  /** `https:` for TLS, `http:` for none. */
  readonly url: URL;
  /** Without asking for it first, as version 17 and later take it (`sslnegotiation=direct`). */
  readonly isDirect: boolean;
}

/** What came of it. */
export type SignInOutcome =
  /** Signed in. `held` is for the client: all that the server said so far. */
  | {
      readonly kind: "in";
      readonly socket: Socket;
      readonly reader: ByteReader;
      readonly held: Buffer;
    }
  /** The server's own error, for the client. */
  | { readonly kind: "refused"; readonly error: Buffer };

type Attempt =
  | SignInOutcome
  | { readonly kind: "token"; readonly error: Buffer; readonly said: Buffer };

// RFC 6750 section 2.1.
const tokenForm = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Asks for TLS over a connection; nothing may come before it but the one letter that says yes (CVE-2021-23222). */
async function askForTls(socket: Socket, host: string): Promise<void> {
  const reader = new ByteReader(socket);
  socket.write(tlsRequest);
  const answer = (await reader.bytes(1)).toString("latin1");
  if (answer === "S" && reader.waiting === 0) {
    reader.release();
    return;
  }
  throw new OidcError(
    "tls",
    answer === "N"
      ? `${host} offers no TLS: no token is sent to it.`
      : `${host} did not answer as PostgreSQL does.`,
    { reason: "protocol", remedy: "Are the address and its port right?" },
  );
}

function whole({ type, body }: Message): Buffer {
  return messageOf(type, body);
}

/** What the server says of its own wishes, for people. */
function wishesIn(said: Buffer): string {
  try {
    const { status, scope } = JSON.parse(said.toString("utf8")) as Record<string, unknown>;
    const shown = (value: unknown): string | undefined =>
      typeof value === "string" && value !== "" ? sanitizeProviderText(value, 200) : undefined;
    const scopes = shown(scope);
    return `${shown(status) ?? "no reason"}${scopes === undefined ? "" : `, it wants the scopes ${scopes}`}`;
  } catch {
    return "no reason";
  }
}

/** Signs clients in at one server. */
export class ServerSignIns {
  readonly #server: PostgresServer;
  readonly #tokens: ProxyTokens;
  readonly #dialer: Dialer;
  readonly #exchanges: AuthorizedExchanges;
  readonly #onFailure: (error: OidcError) => void;

  constructor(
    server: PostgresServer,
    tokens: ProxyTokens,
    dialer: Dialer,
    onFailure: (error: OidcError) => void,
  ) {
    this.#server = server;
    this.#tokens = tokens;
    this.#dialer = dialer;
    this.#exchanges = new AuthorizedExchanges(tokens);
    this.#onFailure = onFailure;
  }

  /** A connection over which nothing has been said yet. Rejects as a {@link Dialer} does. */
  async connect(signal: AbortSignal): Promise<Dialled> {
    const { url, isDirect } = this.#server;
    const connection = await this.#dialer.dial({
      url,
      step: serverSteps.request,
      signal,
      protocol: "postgresql",
      beforeTls:
        url.protocol === "http:" || isDirect
          ? undefined
          : (socket) => askForTls(socket, hostAndPort(url)),
      isNew: true,
    });
    const { alpnProtocol } = connection.socket as { readonly alpnProtocol?: string | false | null };
    if (isDirect && alpnProtocol !== "postgresql") {
      connection.socket.destroy();
      throw new OidcError("tls", `${hostAndPort(url)} does not speak PostgreSQL over TLS.`, {
        reason: "protocol",
        remedy: "Are the address and its port right?",
      });
    }
    return connection;
  }

  /**
   * Signs in with the first packet of a client; a token that is refused is renewed once.
   * @throws {OidcError} what the token's source throws, and what a {@link Dialer} does; the signal's reason.
   */
  async signIn(startup: Buffer, signal: AbortSignal): Promise<SignInOutcome> {
    const { url } = this.#server;
    const exchange = this.#exchanges.begin({ url, canRepeat: true, signal });
    if (exchange === undefined) throw new TypeError("a request to another origin");
    const first = await this.#attempt(startup, await exchange.authorization(), signal);
    if (first.kind !== "token") return first;
    const better = this.#tokens.mayRenew
      ? await exchange.after(401, 'Bearer error="invalid_token"')
      : undefined;
    const last = better === undefined ? first : await this.#attempt(startup, better, signal);
    if (last.kind !== "token") return last;
    if (better !== undefined) this.#tokens.noteRefusedAgain();
    const host = hostAndPort(url);
    this.#onFailure(
      new OidcError("access_denied", `${host} refused the token: ${wishesIn(last.said)}.`),
    );
    return { kind: "refused", error: last.error };
  }

  async #attempt(
    startup: Buffer,
    authorization: string | undefined,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const token = /^Bearer (.+)$/i.exec(authorization ?? "")?.[1] ?? "";
    if (!tokenForm.test(token)) {
      throw new OidcError("access_denied", "PostgreSQL takes bearer tokens, and this is not one.");
    }
    const connection = await this.connect(signal);
    const { socket } = connection;
    const stop = (): void => void socket.destroy();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const reader = new ByteReader(socket);
      socket.write(startup);
      const outcome = await this.#converse(socket, reader, token);
      if (outcome.kind !== "in") socket.destroy();
      return outcome;
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      if (!(error instanceof ReadFault)) throw error;
      throw connection.explain(Object.assign(new Error(error.message), { code: "ECONNRESET" }));
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Until the server has decided. Whatever else it says meanwhile is held back. */
  async #converse(socket: Socket, reader: ByteReader, token: string): Promise<Attempt> {
    const held: Buffer[] = [];
    let heldBytes = 0;
    let said: Buffer | undefined;
    for (;;) {
      const message = await reader.message();
      if (message.type === "E") {
        const error = whole(message);
        return said === undefined ? { kind: "refused", error } : { kind: "token", error, said };
      }
      if (message.type !== "R") {
        heldBytes += message.body.length;
        if (heldBytes > maxMessageBytes) throw new ReadFault("too much before authentication");
        held.push(whole(message));
        continue;
      }
      const wanted = readAuthentication(message.body);
      if (wanted.kind === "ok") {
        return { kind: "in", socket, reader, held: Buffer.concat([...held, whole(message)]) };
      }
      if (wanted.kind === "continue" && said === undefined) {
        said = wanted.data;
        socket.write(refusalSeen);
      } else if (wanted.kind === "sasl" && wanted.mechanisms.includes(mechanism)) {
        socket.write(bearerMessage(token));
      } else {
        throw new OidcError(
          "access_denied",
          `${hostAndPort(this.#server.url)} does not take a token for this user and database (${mechanism}).`,
          { remedy: "Is there a line with oauth for them in pg_hba.conf?" },
        );
      }
    }
  }
}
