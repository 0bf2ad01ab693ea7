// The loopback listener of one sign-in: takes the callback that is ours, ignores all else, shows the true outcome.
// Changes when what a browser meets between the redirect and the outcome does.

import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../core/clock.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { outcomePageSeconds } from "../core/limits.ts";
import { readFormBody } from "./form-body.ts";
import { authorityOf, LoopbackServer, sendOn, sendPage } from "./loopback-server.ts";
import { finishingPage, nothingHerePage, otherSignInPage, outcomePage } from "./pages/states.ts";
import type { SignInOutcome } from "./pages/states.ts";
import { routeAnswer, routeRequest } from "./routes.ts";
import type { AnswerRoute, ResponseMode, RouteRules } from "./routes.ts";
import type { StartAddress } from "./start-address.ts";

export type { SignInOutcome } from "./pages/states.ts";

/** What a listener needs to know of its sign-in. */
export interface CallbackListenerOptions {
  /** Option `callbackHost`: the interface, bound exactly; `localhost` is both loopback addresses. */
  readonly host: string;
  /** `[0]`: any free port. Several: the first free one. */
  readonly ports: readonly number[];
  /** Exact pathname of the redirect URI. */
  readonly path: string;
  /** `host:port` of an explicit redirect URI, accepted as `Host` beside the listener's own. */
  readonly redirectAuthority?: string | undefined;
  /** Where the answer is awaited. */
  readonly responseMode: ResponseMode;
  /** Compares in constant time. Called with outside input. */
  isExpectedState(candidate: string): boolean;
  /** The address that the browser is started with; answered here, at the listener's own authority. */
  readonly start?: StartAddress | undefined;
  /** Shown, escaped, on the pages. */
  readonly applicationName?: string | undefined;
  /** Host of the provider, for the page of a sign-in that is done. */
  readonly provider?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly randomBytes: (length: number) => Uint8Array;
}

/** What came and could not count, though somebody may have meant it: for the word at the end of the time. */
export interface MissedAnswers {
  /** Posted, though the answer was awaited in the address. */
  posted: number;
  /** In the address, with our state, though the answer was awaited in a form. */
  inAddress: number;
  /** With more headers, or a longer form, than is read. */
  oversized: number;
  /** Not HTTP: TLS, for a redirect URI with `https:`. */
  unreadable: number;
}

/** A listener that is open. Whoever opened it ends it: by `settle`, and by `close` where there is no outcome. */
export interface CallbackListener {
  /** The interface as it was asked for. */
  readonly host: string;
  /** From the listening socket. */
  readonly port: number;
  /** `host:port` for the default redirect URI, IPv6 in brackets. */
  readonly authority: string;
  /** True where other machines can reach it: by the address that was bound, whatever name led there. */
  readonly isExposed: boolean;
  /** The first callback that carries our state. Never rejects; stays pending when none comes. */
  readonly callback: Promise<URLSearchParams>;
  /** Callbacks that came without our state. */
  readonly strayCallbacks: number;
  readonly missed: Readonly<MissedAnswers>;
  /** Tells the browser the outcome; from here on the listener no longer holds the process. Later calls do nothing. */
  settle(outcome: SignInOutcome): void;
  /**
   * Resolves when the listener is closed after `settle`: the outcome page was served, nobody waits for one, or 1
   * second is over (at most 2, where the browser was told to ask again in a moment). Resolves after `close` too. Never holds the process.
   */
  readonly ended: Promise<void>;
  /** Closes at once, all connections included. */
  close(): Promise<void>;
}

/** The first wait for the outcome is short, so that a slow exchange shows a page instead of a blank tab. */
const firstHoldMilliseconds = 2000;
/** Later ones are long, so that the page (and who has it read aloud) is seldom disturbed. */
const laterHoldMilliseconds = 10_000;
// With 0 a browser leaves the page before it has shown it (Chromium shows a blank one), so there is a moment in which
// nobody asks; `settle` waits for its end.
const refreshSeconds = 1;
const outcomePathBytes = 16;

/** Settled listeners of this process that still wait for their page to be fetched (L13). */
const lingering = new Set<CallbackListener>();

class Listener implements CallbackListener {
  readonly host: string;
  readonly callback: Promise<URLSearchParams>;
  readonly ended: Promise<void>;
  readonly missed: MissedAnswers = { posted: 0, inAddress: 0, oversized: 0, unreadable: 0 };
  strayCallbacks = 0;
  port = 0;
  authority = "";

  readonly #options: CallbackListenerOptions;
  readonly #outcomePath: string;
  readonly #rules: RouteRules & { authorities: ReadonlySet<string> };
  readonly #server: LoopbackServer;
  readonly #settled = new AbortController();
  readonly #closing = new AbortController();
  #outcome: SignInOutcome | undefined;
  #callbackArrived = false;
  #heldBefore = false;
  /** When a browser that was told to come back does so, on the monotonic clock. */
  #returnExpectedAt = 0;
  #resolveCallback!: (parameters: URLSearchParams) => void;
  #resolveEnded!: () => void;
  #closed: Promise<void> | undefined;

  constructor(options: CallbackListenerOptions) {
    this.#options = options;
    this.#server = new LoopbackServer({
      logger: options.logger,
      onRequest: (request, response) => this.#answer(request, response),
      onUnreadable: (what) => (this.missed[what] += 1),
    });
    this.host = options.host;
    this.callback = new Promise((resolve) => (this.#resolveCallback = resolve));
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    // Beside the callback, so that a proxy that forwards the callback's folder forwards this too. Unguessable: any
    // program on this machine may ask (L16).
    const name = Buffer.from(options.randomBytes(outcomePathBytes)).toString("base64url");
    this.#outcomePath = options.path.slice(0, options.path.lastIndexOf("/") + 1) + name;
    this.#rules = {
      authorities: new Set(),
      callbackPath: options.path,
      outcomePath: this.#outcomePath,
      responseMode: options.responseMode,
      isExpectedState: (candidate) => options.isExpectedState(candidate),
    };
  }

  get isExposed(): boolean {
    return this.#server.isExposed;
  }

  async open(): Promise<void> {
    const { host, ports, redirectAuthority } = this.#options;
    await Promise.all(
      [...lingering].filter((other) => ports.includes(other.port)).map((other) => other.close()),
    );
    const port = await this.#server.open(host, ports);
    this.port = port;
    this.authority = authorityOf(redirectHostOf(host), port);
    this.#rules.authorities = new Set(
      [this.authority, authorityOf(host, port), redirectAuthority]
        .filter((authority) => authority !== undefined)
        // Browsers leave out the port that is the scheme's own.
        .flatMap((authority) => [authority, authority.replace(/:80$/u, "")])
        .map((authority) => authority.toLowerCase()),
    );
  }

  settle(outcome: SignInOutcome): void {
    if (this.#outcome !== undefined || this.#closed !== undefined) return;
    this.#outcome = outcome;
    this.#server.unref();
    this.#settled.abort();
    if (!this.#callbackArrived) {
      // Pasted, timed out or aborted: no browser was sent to the outcome page.
      void this.close();
      return;
    }
    lingering.add(this);
    const { clock } = this.#options;
    const awayMilliseconds = Math.max(0, this.#returnExpectedAt - clock.monotonic());
    void clock
      .sleep(awayMilliseconds + outcomePageSeconds * 1000, {
        unref: true,
        signal: this.#closing.signal,
      })
      .then(
        () => this.close(),
        () => undefined,
      );
  }

  async close(): Promise<void> {
    this.#closed ??= this.#closeNow();
    await this.#closed;
  }

  async #closeNow(): Promise<void> {
    lingering.delete(this);
    this.#closing.abort();
    await this.#server.close();
    this.#resolveEnded();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#options.start?.answer(request, response) === true) return;
    const route = routeRequest(
      {
        method: request.method ?? "",
        target: request.url ?? "",
        headers: request.headers,
        hosts: request.headersDistinct["host"] ?? [],
      },
      this.#rules,
    );
    switch (route.kind) {
      case "callback":
        this.#takeCallback(route.parameters, response);
        return;
      case "outcome":
        // #showOutcome handles its own failures; a browser that went away is none.
        void this.#showOutcome(response);
        return;
      case "form":
        void this.#readForm(request, response);
        return;
      case "stray":
        this.#ignoreStray(route, response);
        return;
      case "refused":
        if (route.isPostedAnswer === true) this.missed.posted += 1;
        this.#ignore(route.why);
        sendPage(response, nothingHerePage(route.status), route.allow);
        return;
    }
  }

  async #readForm(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readFormBody(request);
    if (body === undefined) return;
    if ("status" in body) {
      if (body.status === 413) this.missed.oversized += 1;
      this.#ignore(body.why);
      sendPage(response, nothingHerePage(body.status));
      return;
    }
    const route = routeAnswer(body.parameters, this.#rules);
    if (route.kind === "callback") this.#takeCallback(route.parameters, response);
    else this.#ignoreStray(route, response);
  }

  #ignore(why: string): void {
    emit(this.#options.logger, "listener.ignored", { why });
  }

  #ignoreStray(route: AnswerRoute & { kind: "stray" }, response: ServerResponse): void {
    if (route.isOurs === true) this.missed.inAddress += 1;
    else this.strayCallbacks += 1;
    this.#ignore(route.why);
    sendPage(response, otherSignInPage());
  }

  #takeCallback(parameters: URLSearchParams, response: ServerResponse): void {
    // Code and state leave the address bar, the history and every Referer (RFC 9700 section 4.2). The sign-in does
    // not depend on the browser following (L15), and a reload of the callback ends here again (L11).
    sendOn(response, this.#outcomePath);
    if (this.#callbackArrived) return;
    this.#callbackArrived = true;
    this.#resolveCallback(parameters);
  }

  async #showOutcome(response: ServerResponse): Promise<void> {
    if (this.#outcome === undefined) await this.#holdUntilSettled(response);
    const { applicationName, provider } = this.#options;
    if (this.#outcome === undefined) {
      if (response.destroyed) return;
      this.#returnExpectedAt = this.#options.clock.monotonic() + refreshSeconds * 1000;
      sendPage(response, finishingPage(applicationName, refreshSeconds));
      return;
    }
    // `close` comes after the last byte was handed to the system, or when the browser went away.
    response.once("close", () => {
      if (response.writableFinished) void this.close();
    });
    sendPage(response, outcomePage(this.#outcome, applicationName, provider));
  }

  async #holdUntilSettled(response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once("close", () => gone.abort());
    const milliseconds = this.#heldBefore ? laterHoldMilliseconds : firstHoldMilliseconds;
    this.#heldBefore = true;
    try {
      await this.#options.clock.sleep(milliseconds, {
        unref: true,
        signal: AbortSignal.any([gone.signal, this.#settled.signal, this.#closing.signal]),
      });
    } catch {
      // Settled, closed or gone: the caller looks which.
    }
  }
}

/** With an interface that is not loopback (a container's 0.0.0.0) the browser still comes to its own 127.0.0.1. */
function redirectHostOf(host: string): string {
  const name = host.toLowerCase();
  return isLoopbackHost(name) ? name : "127.0.0.1";
}

/**
 * Opens the listener of one sign-in, before anything is shown or opened.
 * @throws {OidcError} `callback_port_in_use`: every port is taken, or (reason `listener_failed`) cannot be opened.
 * @see RFC 8252 section 7.3 (loopback interface redirection)
 */
export async function openCallbackListener(
  options: CallbackListenerOptions,
): Promise<CallbackListener> {
  const listener = new Listener(options);
  await listener.open();
  return listener;
}
