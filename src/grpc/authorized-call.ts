// One gRPC call that gets its authorization when it starts, and once more where the server refuses it.

import type {
  CallOptions,
  InterceptingCall,
  Interceptor,
  Metadata,
  StatusObject,
} from "@grpc/grpc-js";
import { decisionsOf, isOidcError, sanitizeProviderText } from "../core/errors.ts";
import type { GrpcModule } from "./peer.ts";
import { unauthenticated } from "./status.ts";

/** What a call is sent with. */
export interface CallAuthorization {
  /** The field of the metadata, and what it holds. */
  readonly name: string;
  readonly value: string;
  /** By which a refusal is reported. */
  readonly secret: string;
}

/** Where calls get their authorization. */
export interface AuthorizationSource {
  /** @param rejected the secret that the server refused, of the same call's first try. */
  obtain(rejected: string | undefined, signal: AbortSignal): Promise<CallAuthorization>;
}

// The parts of the interface that `@grpc/grpc-js` does not export by name.
type NextCall = Parameters<Interceptor>[1];
type InterceptorOptions = Parameters<Interceptor>[0];
type InnerCall = ReturnType<NextCall>;
type Listener = Exclude<Parameters<InnerCall["start"]>[1], undefined>;
type MessageContext = Parameters<InnerCall["sendMessageWithContext"]>[0];

/** What the caller did to the call, to be done to the one that is sent. */
type Action = (call: InnerCall) => void;

const deadlineExceeded = 4;
const internal = 13;
const unavailable = 14;

function isStatus(error: unknown): error is StatusObject {
  const { code, details } = (error ?? {}) as Partial<StatusObject>;
  return typeof code === "number" && typeof details === "string";
}

/** The status of a call for which there is no authorization. The error itself is the `cause` of the caller's error. */
function statusFor(
  error: unknown,
  metadata: Metadata,
): StatusObject & { readonly cause?: unknown } {
  if (isOidcError(error)) {
    const isTransient = decisionsOf(error)?.duration === "transient";
    const code = isTransient ? unavailable : unauthenticated;
    return { code, details: error.message, metadata, cause: error };
  }
  if (!isStatus(error)) return { code: internal, details: "no authorization", metadata };
  return { code: error.code, details: sanitizeProviderText(error.details), metadata };
}

/** In milliseconds from now; undefined where there is none. */
function timeLeft({ deadline }: CallOptions): number | undefined {
  if (deadline === undefined || deadline === Number.POSITIVE_INFINITY) return undefined;
  // More than a timer can hold is longer than anybody waits.
  return Math.min(Number(deadline) - Date.now(), 2 ** 31 - 1);
}

/**
 * A call as the caller sees it, and the one or two that are sent for it. The second one is sent where the server refused
 * the first with UNAUTHENTICATED before it had answered anything, and where everything that was sent so far can be sent
 * again: one message of a call that has only one, none of a stream of them.
 */
class AuthorizedCall implements InnerCall {
  readonly #grpc: GrpcModule;
  readonly #options: InterceptorOptions;
  readonly #nextCall: NextCall;
  readonly #source: AuthorizationSource;
  readonly #isStreamed: { readonly request: boolean; readonly response: boolean };
  readonly #abort = new AbortController();
  #inner: InnerCall | undefined;
  #listener: Listener = {};
  #metadata: Metadata;
  /** What the next call that is sent begins with. */
  readonly #actions: Action[] = [];
  #mayRepeat = true;
  #hasStreamed = false;
  #isOver = false;
  #heldMetadata: Metadata | undefined;

  constructor(
    grpc: GrpcModule,
    options: InterceptorOptions,
    nextCall: NextCall,
    source: AuthorizationSource,
  ) {
    const { requestStream, responseStream } = options.method_definition;
    this.#grpc = grpc;
    this.#options = options;
    this.#nextCall = nextCall;
    this.#source = source;
    this.#isStreamed = { request: requestStream, response: responseStream };
    this.#metadata = new grpc.Metadata();
  }

  start(metadata: Metadata, listener: Listener = {}): void {
    this.#metadata = metadata;
    this.#listener = listener;
    void this.#send(undefined);
  }

  sendMessageWithContext(context: MessageContext, message: unknown): void {
    if (this.#isStreamed.request) {
      this.#hasStreamed = true;
      this.#do((call) => call.sendMessageWithContext(context, message));
      if (this.#inner !== undefined) this.#settle();
    } else {
      this.#do((call) => call.sendMessage(message));
    }
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  startRead(): void {
    this.#do((call) => call.startRead());
  }

  halfClose(): void {
    this.#do((call) => call.halfClose());
  }

  cancelWithStatus(code: number, details: string): void {
    this.#abort.abort();
    if (this.#inner === undefined) this.#end({ code, details });
    else this.#inner.cancelWithStatus(code, details);
  }

  getPeer(): string {
    return this.#inner?.getPeer() ?? "unknown";
  }

  getAuthContext(): ReturnType<InnerCall["getAuthContext"]> {
    return this.#inner?.getAuthContext() ?? null;
  }

  #do(action: Action): void {
    if (this.#mayRepeat || this.#inner === undefined) this.#actions.push(action);
    if (this.#inner !== undefined) action(this.#inner);
  }

  /** What was sent or received cannot be taken back: from here on there is no second call. */
  #settle(): void {
    this.#mayRepeat = false;
    this.#actions.length = 0;
  }

  /** The authorization, unless the call is over first: by its deadline, or by the caller. */
  async #authorize(rejected: string | undefined): Promise<CallAuthorization | undefined> {
    const milliseconds = timeLeft(this.#options);
    const expire = (): void => {
      this.#end({ code: deadlineExceeded, details: "no authorization within the deadline" });
      this.#abort.abort();
    };
    const timer = milliseconds === undefined ? undefined : setTimeout(expire, milliseconds);
    try {
      const authorization = await this.#source.obtain(rejected, this.#abort.signal);
      return this.#isOver ? undefined : authorization;
    } catch (error) {
      this.#end(statusFor(error, new this.#grpc.Metadata()));
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  async #send(rejected: string | undefined): Promise<void> {
    const authorization = await this.#authorize(rejected);
    if (authorization === undefined) return;
    const metadata = this.#metadata.clone();
    metadata.set(authorization.name, authorization.value);
    const call = this.#nextCall(this.#options);
    this.#inner = call;
    call.start(metadata, this.#listenerOf(authorization));
    const actions = [...this.#actions];
    if (rejected !== undefined || this.#hasStreamed) this.#settle();
    for (const action of actions) action(call);
  }

  #listenerOf({ secret }: CallAuthorization): Listener {
    let heldMessage: { readonly message: unknown } | undefined;
    const release = (): void => {
      const metadata = this.#heldMetadata;
      this.#heldMetadata = undefined;
      if (metadata !== undefined) this.#listener.onReceiveMetadata?.(metadata);
    };
    return {
      onReceiveMetadata: (metadata) => {
        this.#heldMetadata = metadata;
        // A stream's caller may wait for it before anything else happens.
        if (!this.#isStreamed.response) return;
        this.#settle();
        release();
      },
      onReceiveMessage: (message) => {
        // Null stands for the message of a call that has none, and comes right before its status.
        if (message === null) {
          heldMessage = { message };
          return;
        }
        this.#settle();
        release();
        this.#listener.onReceiveMessage?.(message);
      },
      onReceiveStatus: (status) => {
        const code: number = status.code;
        if (code === unauthenticated && this.#mayRepeat && !this.#abort.signal.aborted) {
          this.#inner = undefined;
          this.#heldMetadata = undefined;
          void this.#send(secret);
          return;
        }
        release();
        if (heldMessage !== undefined) this.#listener.onReceiveMessage?.(heldMessage.message);
        this.#end(status);
      },
    };
  }

  #end(status: { code: number; details: string; metadata?: Metadata }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#settle();
    this.#listener.onReceiveStatus?.({ metadata: new this.#grpc.Metadata(), ...status });
  }
}

/** Gives each call of a client its authorization. */
export function authorizingInterceptor(grpc: GrpcModule, source: AuthorizationSource): Interceptor {
  return (options, nextCall): InterceptingCall =>
    new grpc.InterceptingCall(new AuthorizedCall(grpc, options, nextCall, source));
}
