// A reverse proxy for one server: a client's requests with a token, and a refused token mended once.
//
// | answer to our token | then |
// |---|---|
// | 401, 403 that another token may mend | sent once more with it, where the body has come whole and was kept |
// | the same again | the client's, and nothing is renewed for a minute |
// | anything else, redirects too | the client's |

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { isOidcError, OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { AuthorizedExchanges, type Exchange } from "../fetch/authorized-exchange.ts";
import type { Dialer } from "../http/exchange.ts";
import { refusalOf, type AdmissionRules } from "./admission.ts";
import { answerHeaders, requestHeaders, upgradeHeaders } from "./header-rules.ts";
import { joinStreams } from "./join-streams.ts";
import type { ProxyTokens } from "./proxy-tokens.ts";
import { RequestBody } from "./request-body.ts";
import { sendUpstream, type UpstreamAnswer } from "./upstream.ts";

/** What a proxy is made of. */
export interface HttpProxyParts {
  /** The server's origin: the only place that the token goes to. */
  readonly upstream: URL;
  readonly tokens: ProxyTokens;
  readonly dialer: Dialer;
  readonly admission: AdmissionRules;
  /** A failure in words, for the answer. */
  readonly words: (error: OidcError) => string;
  /** Told of failures that concern whoever started the proxy. */
  readonly onFailure: (error: OidcError) => void;
}

/** A request as it goes on. */
interface Passage {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RequestBody;
  readonly signal: AbortSignal;
}

/** What is answered in place of the server. */
interface OwnAnswer {
  readonly status: number;
  readonly text: string;
  readonly challenge?: readonly string[] | undefined;
}

// Of paths as RFC 9112 section 3.2.1 has them; never the whole address of another server.
const originForm = /^\/[\u0021-\u007e]*$/;
const safeToResend = new Set(["DELETE", "GET", "HEAD", "OPTIONS", "PUT"]);
const maxProtocolCharacters = 100;

/** Answers the requests of a server of Node's. */
export class HttpProxy {
  readonly #parts: HttpProxyParts;
  readonly #exchanges: AuthorizedExchanges;
  readonly #passesCookies: boolean;

  constructor(parts: HttpProxyParts) {
    this.#parts = parts;
    this.#exchanges = new AuthorizedExchanges(parts.tokens);
    this.#passesCookies = parts.admission.hosts === undefined;
  }

  /** One request. Never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    const gone = new AbortController();
    response.once("close", () => {
      if (!response.writableFinished) gone.abort(new Error("The client has gone."));
    });
    const refused = this.#refusal(request);
    if (refused !== undefined) {
      this.#answerItself(response, refused);
      return;
    }
    try {
      this.#relay(await this.#pass(request, gone.signal), response);
    } catch (error) {
      if (!gone.signal.aborted) this.#answerItself(response, this.#failed(error));
    }
  }

  /** A request to change the protocol, to that of WebSockets for example. Never rejects. */
  async upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    answerOver: (request: IncomingMessage, socket: Duplex) => ServerResponse,
  ): Promise<void> {
    const gone = new AbortController();
    const leave = (): void => gone.abort(new Error("The client has gone."));
    socket.on("error", leave).once("close", leave);
    const refused = this.#refusal(request);
    if (refused !== undefined) {
      this.#answerItself(answerOver(request, socket), refused);
      return;
    }
    try {
      const protocol = (request.headers.upgrade ?? "").slice(0, maxProtocolCharacters);
      const answer = await this.#pass(request, gone.signal, upgradeHeaders(protocol));
      const { incoming, changed } = answer;
      if (changed === undefined) {
        this.#relay(answer, answerOver(request, socket));
        return;
      }
      const lines = answerHeaders(incoming.rawHeaders, this.#parts.upstream, this.#passesCookies);
      const named = [...lines, "Connection", "Upgrade", "Upgrade", incoming.headers.upgrade ?? ""];
      let text = `HTTP/1.1 101 Switching Protocols\r\n`;
      for (let at = 0; at + 1 < named.length; at += 2) text += `${named[at]}: ${named[at + 1]}\r\n`;
      socket.write(Buffer.from(`${text}\r\n`, "latin1"));
      if (changed.head.length > 0) socket.write(changed.head);
      if (head.length > 0) changed.socket.write(head);
      joinStreams(socket, changed.socket);
    } catch (error) {
      if (gone.signal.aborted) return;
      this.#answerItself(answerOver(request, socket), this.#failed(error));
    }
  }

  #refusal(request: IncomingMessage): OwnAnswer | undefined {
    const { url = "", method = "", headers } = request;
    const refusal = refusalOf(headers, this.#parts.admission);
    if (refusal !== undefined) {
      const { status, why, challenge } = refusal;
      return { status, text: why, challenge };
    }
    if (originForm.test(url) && method !== "TRACE") return undefined;
    return { status: 400, text: "This proxy takes a path, and adds the host itself." };
  }

  /** Sends it on, with a better token where the first one is refused and another may mend that. */
  async #pass(
    request: IncomingMessage,
    signal: AbortSignal,
    more: Readonly<Record<string, string>> = {},
  ): Promise<UpstreamAnswer> {
    const { upstream, tokens } = this.#parts;
    const { method = "GET", url = "/", rawHeaders, headers } = request;
    const length = headers["content-length"];
    const body = new RequestBody(request, length === undefined ? undefined : Number(length));
    const exchange = this.#exchanges.begin({
      url: upstream,
      get canRepeat() {
        return body.canRepeat;
      },
      signal,
    });
    if (exchange === undefined) throw new TypeError("a request to another origin");
    const own = { ...requestHeaders(rawHeaders, this.#passesCookies), ...more };
    const passage: Passage = { method, target: url, headers: own, body, signal };
    const first = await this.#send(passage, await exchange.authorization());
    const { statusCode } = first.incoming;
    if ((statusCode !== 401 && statusCode !== 403) || !tokens.mayRenew) return first;
    await body.whole();
    const better = await this.#better(exchange, first.incoming, signal);
    if (better === undefined) return first;
    first.discard();
    const second = await this.#send(passage, better);
    if (second.incoming.statusCode === 401) tokens.noteRefusedAgain();
    return second;
  }

  /** What the person cannot be asked for now is no reason to hide what the server said. */
  async #better(
    exchange: Exchange,
    { statusCode = 0, rawHeaders }: IncomingMessage,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const challenges = rawHeaders.filter(
      (_value, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === "www-authenticate",
    );
    try {
      const challenge = challenges.length === 0 ? undefined : challenges.join(", ");
      return await exchange.after(statusCode, challenge);
    } catch (error) {
      signal.throwIfAborted();
      if (!isOidcError(error)) throw error;
      this.#parts.onFailure(error);
      return undefined;
    }
  }

  #send(passage: Passage, authorization: string | undefined): Promise<UpstreamAnswer> {
    const { method, target, headers, body, signal } = passage;
    const { upstream, dialer } = this.#parts;
    return sendUpstream(dialer, upstream, {
      method,
      target,
      headers: authorization === undefined ? headers : { ...headers, authorization },
      signal,
      write: (outgoing) => body.sendTo(outgoing),
      mayResend: () => body.canRepeat && safeToResend.has(method),
    });
  }

  /** The server's answer, as it comes. */
  #relay({ incoming }: UpstreamAnswer, response: ServerResponse): void {
    const { statusCode = 502, statusMessage, rawHeaders } = incoming;
    const headers = answerHeaders(rawHeaders, this.#parts.upstream, this.#passesCookies);
    response.once("close", () => {
      if (!incoming.complete) incoming.destroy();
    });
    // One that ends early must not look whole.
    incoming.once("close", () => {
      if (!incoming.complete) response.destroy();
    });
    response.writeHead(statusCode, statusMessage ?? "", headers);
    response.flushHeaders();
    incoming.pipe(response);
  }

  #failed(error: unknown): OwnAnswer {
    const known = isOidcError(error)
      ? error
      : new OidcError(
          "network",
          `What ${hostAndPort(this.#parts.upstream)} answered cannot be passed on.`,
          { reason: "malformed", cause: error },
        );
    this.#parts.onFailure(known);
    return { status: known.code === "timeout" ? 504 : 502, text: this.#parts.words(known) };
  }

  #answerItself(response: ServerResponse, { status, text, challenge }: OwnAnswer): void {
    if (response.headersSent || response.destroyed) {
      response.destroy();
      return;
    }
    const body = Buffer.from(`latchkey proxy: ${text}\n`);
    response.writeHead(status, {
      "cache-control": "no-store",
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
      "content-length": String(body.length),
      connection: "close",
      ...(challenge === undefined ? {} : { "www-authenticate": [...challenge] }),
    });
    response.end(response.req.method === "HEAD" ? undefined : body);
  }
}
