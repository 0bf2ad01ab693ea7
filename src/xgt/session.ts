// A session at a server of Rocketgraph xGT: got with an access token, kept alive, and got anew when the server ended it.

import type { Client } from "@grpc/grpc-js";
import { sanitizeProviderText } from "../core/errors.ts";
import { maxServerTextCharacters } from "../core/limits.ts";
import type { Credential } from "../core/types.ts";
import { adminService } from "../messages/admin-service.ts";
import type { AuthorizationSource, CallAuthorization } from "../grpc/authorized-call.ts";
import type { GrpcModule } from "../grpc/peer.ts";
import type { UnaryMethod } from "../messages/protobuf.ts";
import { unauthenticated } from "../grpc/status.ts";

/** The protocol whose calls are spoken here. */
const protocolVersion = { major: 1, minor: 2, patch: 0 };
/** The field of the metadata that names the session. Empty before there is one. */
const field = "session_token";
const keepAliveMilliseconds = 30 * 60 * 1000;
/** For the calls of the session itself, in seconds. */
const callSeconds = 30;
/** For the call that ends it: whoever closes a connection does not wait for a server that is gone. */
const closeSeconds = 2;

const cancelled = 1;
const internal = 13;

/** A failure in the form of a call's status. */
function failure(code: number, details: string): Error {
  return Object.assign(new Error(details), { code, details });
}

function isUnauthenticated(error: unknown): boolean {
  return (error as { code?: unknown }).code === unauthenticated;
}

/** Printable ASCII, which metadata can carry. */
function isSessionToken(text: string): boolean {
  return text.length <= maxServerTextCharacters && /^[\x21-\x7e]+$/.test(text);
}

/** The session of a connection: every call of it names the same one. */
export class XgtSession implements AuthorizationSource {
  readonly #grpc: GrpcModule;
  readonly #client: Client;
  readonly #credential: Credential;
  readonly #end = new AbortController();
  #current: CallAuthorization | undefined;
  #opening: Promise<CallAuthorization> | undefined;
  #keepAlive: NodeJS.Timeout | undefined;
  #userId: string | undefined;

  /** @param client whose calls carry no authorization. */
  constructor(grpc: GrpcModule, client: Client, credential: Credential) {
    this.#grpc = grpc;
    this.#client = client;
    this.#credential = credential;
  }

  /** As the server names who signed in; undefined before the first call. */
  get userId(): string | undefined {
    return this.#userId;
  }

  /** The session; another one than `rejected`. However many calls want one at once, one is got. */
  obtain(rejected: string | undefined, signal: AbortSignal): Promise<CallAuthorization> {
    if (this.#end.signal.aborted) return Promise.reject(failure(cancelled, "closed"));
    const current = this.#current;
    if (current !== undefined && current.secret !== rejected) return Promise.resolve(current);
    this.#current = undefined;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    const opening = this.#opening;
    return new Promise((resolve, reject) => {
      opening.then(resolve, reject);
      // The call is over; others may still wait for the session.
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Ends the session at the server, if there is one. Never rejects. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#opening?.catch(() => undefined);
    clearInterval(this.#keepAlive);
    const session = this.#current;
    this.#current = undefined;
    if (session === undefined) return;
    await this.#call(adminService.closeSession, {}, session.secret, closeSeconds).catch(
      () => undefined,
    );
  }

  async #open(): Promise<CallAuthorization> {
    const signal = this.#end.signal;
    const { token } = await this.#credential.getToken({ signal });
    // Servers that do not know it can be spoken to all the same.
    await this.#call(adminService.protocolVersion, { protocolVersion }).catch(() => undefined);
    try {
      return await this.#authenticate(token);
    } catch (error) {
      if (!isUnauthenticated(error)) throw error;
      const renewed = await this.#credential.getToken({ signal, rejectedToken: token });
      return this.#authenticate(renewed.token);
    }
  }

  async #authenticate(accessToken: string): Promise<CallAuthorization> {
    const message = { accessToken, protocolVersion };
    const answer = await this.#call(adminService.tokenAuthenticate, message);
    const [error] = answer.error;
    if (error !== undefined) throw failure(unauthenticated, sanitizeProviderText(error.message));
    if (!isSessionToken(answer.sessionToken)) {
      throw failure(internal, "the server gave no session that can be named");
    }
    const { sessionToken } = answer;
    this.#userId = sanitizeProviderText(answer.userid);
    this.#current = { name: field, value: sessionToken, secret: sessionToken };
    this.#keepAlive ??= setInterval(() => this.#stayAlive(), keepAliveMilliseconds).unref();
    return this.#current;
  }

  #stayAlive(): void {
    const session = this.#current?.secret;
    if (session === undefined) return;
    // A session that has ended is got anew by the next call.
    this.#call(adminService.keepAliveSession, {}, session).catch(() => undefined);
  }

  #call<Request extends object, Response extends object>(
    method: UnaryMethod<Request, Response>,
    message: Partial<Request>,
    session: string = "",
    seconds: number = callSeconds,
  ): Promise<Response> {
    const metadata = new this.#grpc.Metadata();
    metadata.set(field, session);
    const deadline = Date.now() + seconds * 1000;
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize,
        message,
        metadata,
        { deadline },
        (error, answer) => {
          if (error !== null) reject(error);
          else if (answer === undefined) reject(failure(internal, "the server gave no answer"));
          else resolve(answer);
        },
      );
    });
  }
}
