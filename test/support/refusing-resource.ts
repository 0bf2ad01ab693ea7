// A resource that refuses what has no token, and says which provider issues its tokens. Changes when tests need more of it.

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { onTestFinished } from "vitest";

/** A request that came, other than for metadata. */
export interface SeenCall {
  readonly line: string;
  readonly token: string | undefined;
  readonly body: string;
}

/** What a resource answers: a status, and headers. */
export type CallAnswer = readonly [
  status: number,
  headers?: Readonly<Record<string, string | readonly string[]>>,
];

/** What a test decides about a resource. */
export interface RefusingResourceScript {
  /** Its metadata by target; anything else is 404. */
  readonly documents?: (origin: string) => Readonly<Record<string, unknown>>;
  /** Default: 401 without a token, else 200. */
  readonly answer?:
    | ((call: SeenCall, origin: string, earlier: readonly SeenCall[]) => CallAnswer)
    | undefined;
}

/** A resource of a test. */
export interface RefusingResource {
  readonly origin: string;
  /** Requests for metadata, as targets. */
  readonly documentsAsked: string[];
  readonly calls: SeenCall[];
  /** From now on. */
  change(script: RefusingResourceScript): void;
}

/** The place of the metadata. */
export const wellKnown = "/.well-known/oauth-protected-resource";

/** The refusal of whatever has no good token. */
export function refusal(parameters = ""): CallAnswer {
  return [401, { "www-authenticate": `Bearer${parameters === "" ? "" : ` ${parameters}`}` }];
}

function tokenIn({ headers }: IncomingMessage): string | undefined {
  return headers.authorization?.replace(/^Bearer /, "");
}

/** Starts one that ends with the test. */
export async function startRefusingResource(
  script: RefusingResourceScript,
): Promise<RefusingResource> {
  let current = script;
  const documentsAsked: string[] = [];
  const calls: SeenCall[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { method = "", url = "" } = request;
      if (url.includes("/.well-known/")) {
        documentsAsked.push(url);
        const document = current.documents?.(origin)[url];
        response.writeHead(document === undefined ? 404 : 200, {
          "content-type": "application/json",
        });
        response.end(JSON.stringify(document ?? {}));
        return;
      }
      const call = { line: `${method} ${url}`, token: tokenIn(request), body };
      const usual: CallAnswer = call.token === undefined ? refusal() : [200];
      const [status, headers = {}] = current.answer?.(call, origin, calls) ?? usual;
      calls.push(call);
      for (const [name, value] of Object.entries(headers)) {
        response.setHeader(name, typeof value === "string" ? value : [...value]);
      }
      response.writeHead(status).end("the body");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  onTestFinished(() => server.close().closeAllConnections());
  return {
    origin,
    documentsAsked,
    calls,
    change: (next) => {
      current = next;
    },
  };
}
