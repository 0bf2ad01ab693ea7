// The address that a browser's command line gets in place of the real one: it works once. Changes when the rules do by
// which it is told who opened it.
//
// Every user of a machine can read the arguments of every program. Whoever learnt the authorization URL from them could
// sign in as himself and deliver his answer to our listener, where state, nonce and PKCE would all fit.

import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../core/clock.ts";
import type { OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { sendOn, sendPage } from "./loopback-server.ts";
import { nothingHerePage, openedBeforePage } from "./pages/states.ts";
import { ownerOfPeer } from "./peer-owner.ts";
import type { Connection, PeerOwner } from "./peer-owner.ts";
import { isForAnotherHost, whyNoNavigation } from "./routes.ts";

/** What a start address is made from. */
export interface StartAddressOptions {
  readonly clock: Clock;
  readonly logger: Logger | undefined;
  readonly randomBytes: (length: number) => Uint8Array;
  /** The error that a second visit ends everything with. */
  readonly openedTwice: () => OidcError;
  /** Told once where another user's program asked, and got nothing. */
  readonly onOtherUser: (uid: number | undefined) => void;
  readonly ownerOf?: (connection: Connection) => Promise<PeerOwner>;
}

const pathBytes = 16;

/**
 * Where the system does not say whose program came first, the person's own browser may still be on its way: it comes
 * second then, and ends the sign-in. Longer than a browser that runs already takes to get here.
 */
const doubtMilliseconds = 3000;

// They print the page to nowhere: nobody has seen it, and a person's browser may still come.
const textBrowser = /^(?:w3m|lynx|links|elinks|edbrowse)\b/i;

/** One address for one visit. It answers nothing before {@link StartAddress.lead} was called. */
export class StartAddress {
  /** Aborts, with an `OidcError`, when it was opened a second time. */
  readonly signal: AbortSignal;
  /** Resolves when the first browser has been led on. Never rejects. */
  readonly opened: Promise<void>;

  readonly #options: StartAddressOptions;
  readonly #path: string;
  readonly #ended = new AbortController();
  #resolveOpened!: () => void;
  #target: string | undefined;
  #authority = "";
  #isOpened = false;
  #openedTwice: OidcError | undefined;
  #toldOfOtherUser = false;
  /** On the monotonic clock. */
  #doubtEndsAt = 0;

  constructor(options: StartAddressOptions) {
    this.#options = options;
    this.#path = `/${Buffer.from(options.randomBytes(pathBytes)).toString("base64url")}`;
    this.signal = this.#ended.signal;
    this.opened = new Promise((resolve) => (this.#resolveOpened = resolve));
  }

  /** Whether somebody has been led on. */
  get isOpened(): boolean {
    return this.#isOpened;
  }

  /** Leads from `http://{authority}` to `target` from now on; gives the address. */
  lead(authority: string, target: string): string {
    this.#authority = authority;
    this.#target = target;
    return `http://${authority}${this.#path}`;
  }

  /** Answers a request that is for this address; false: it is for something else. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const target = this.#target;
    // Compared as written, and with a query it is another address.
    if (target === undefined || request.url !== this.#path) return false;
    const why = this.#whyRefused(request);
    if (why !== undefined) {
      this.#refuse(response, why.status, why.why);
      return true;
    }
    // It handles its own failures; a browser that went away is none.
    void this.#admit(request, response, target);
    return true;
  }

  /**
   * Resolves when nobody else can have been led on; at once where nobody was, or where the system said whose program it
   * was.
   * @throws {OidcError} where it was opened twice; the signal's reason.
   */
  async alone(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const milliseconds = this.#doubtEndsAt - clock.monotonic();
    if (this.#openedTwice === undefined && milliseconds > 0) {
      await clock.sleep(milliseconds, { signal: AbortSignal.any([signal, this.signal]) });
    }
    if (this.#openedTwice !== undefined) throw this.#openedTwice;
  }

  #whyRefused(request: IncomingMessage): { status: 403 | 405 | 421; why: string } | undefined {
    const hosts = request.headersDistinct["host"] ?? [];
    if (isForAnotherHost(hosts, new Set([this.#authority.toLowerCase()]))) {
      return { status: 421, why: "host" };
    }
    if (request.method !== "GET") return { status: 405, why: "method" };
    const why = whyNoNavigation(request.headers);
    if (why !== undefined) return { status: 403, why };
    const isText = textBrowser.test(request.headers["user-agent"] ?? "");
    return isText ? { status: 403, why: "text browser" } : undefined;
  }

  #refuse(response: ServerResponse, status: 403 | 405 | 421, why: string): void {
    emit(this.#options.logger, "listener.ignored", { why });
    sendPage(response, nothingHerePage(status));
  }

  async #admit(request: IncomingMessage, response: ServerResponse, target: string): Promise<void> {
    const { ownerOf = ownerOfPeer, onOtherUser, openedTwice, clock, logger } = this.#options;
    const owner = await ownerOf(request.socket).catch((): PeerOwner => ({ kind: "unknown" }));
    if (owner.kind === "other") {
      this.#refuse(response, 403, "another user");
      if (this.#toldOfOtherUser) return;
      this.#toldOfOtherUser = true;
      onOtherUser(owner.uid);
      return;
    }
    if (!this.#isOpened) {
      this.#isOpened = true;
      if (owner.kind === "unknown") this.#doubtEndsAt = clock.monotonic() + doubtMilliseconds;
      emit(logger, "browser.arrived", { program: owner.kind });
      response.once("close", this.#resolveOpened);
      sendOn(response, target);
      return;
    }
    this.#openedTwice ??= openedTwice();
    emit(logger, "listener.ignored", { why: "opened twice" });
    const end = (): void => this.#ended.abort(this.#openedTwice);
    // After the page: what ends now closes every connection.
    if (response.destroyed) end();
    else response.once("close", end);
    sendPage(response, openedBeforePage());
  }
}
