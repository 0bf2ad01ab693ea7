// A `fetch` over connections of our own: with their trust, proxies and messages, and never the program's global one.

import { OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import type { TransportAnswer } from "../core/world.ts";
import { serverSteps } from "../core/server-steps.ts";
import type { RequestOpener } from "../http/exchange.ts";
import { partsOf, redirectedParts, type Fetch, type RequestParts } from "./request-parts.ts";

/** What the request is called in messages. */
const step = serverSteps.request;
// As browsers have it.
const maxRedirects = 20;
const neverAborted: AbortSignal = new AbortController().signal;

/** Bytes with a length that is known before the first one is sent. */
async function bytesOf(body: RequestParts["body"]): Promise<Uint8Array | undefined> {
  if (body === undefined) return undefined;
  return new Uint8Array(await new Response(body).arrayBuffer());
}

/** `https:`, or `http:` on this machine: nobody on the way reads what was asked. */
function assertPrivate(url: URL): void {
  if (url.protocol === "https:" || isLoopbackHost(url.hostname)) return;
  throw new OidcError(
    "insecure_url",
    `The request was redirected to ${hostAndPort(url)} by http:, which everybody on the way can read, so it was not sent there.`,
    { remedy: "Is the address right? Set the one that answers itself." },
  );
}

/** Only what a response may hold: the standard has no statuses beyond, and no body with some. */
function responseOf({ status, headers, rawHeaders, body, discard }: TransportAnswer): Response {
  const fields = new Headers();
  const pairs = rawHeaders ?? Object.entries(headers).flat();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    fields.append(pairs[at] ?? "", pairs[at + 1] ?? "");
  }
  if (status < 200 || status > 599) {
    discard();
    throw new OidcError(
      "network",
      `The server answered with status ${status}, which has no meaning in HTTP.`,
      {
        reason: "malformed",
        remedy: "Are the address and its port right?",
      },
    );
  }
  if (status === 204 || status === 205 || status === 304) {
    discard();
    return new Response(null, { status, headers: fields });
  }
  return new Response(ReadableStream.from(body), { status, headers: fields });
}

async function sendOnce(client: RequestOpener, parts: RequestParts): Promise<Response> {
  const { url, method, headers, signal = neverAborted } = parts;
  const body = await bytesOf(parts.body);
  const fields: Record<string, string> = { accept: "*/*", "user-agent": "latchkey" };
  for (const [name, value] of headers) fields[name] = value;
  // Of a body that a method usually does not have, Node would not say where it ends.
  if (body !== undefined) fields["content-length"] = String(body.byteLength);
  return responseOf(await client.open({ method, url, headers: fields, body, step, signal }));
}

/**
 * Makes one. Takes what {@link AuthorizedFetch} gives it: addresses and parts, a body that can be read again.
 * Rejects with what {@link RequestOpener} rejects with, and `insecure_url` where a redirect leads to `http:` beyond
 * loopback.
 */
export function wireFetch(client: RequestOpener): Fetch {
  return async (input, init) => {
    let parts = partsOf(input, init);
    for (let redirects = 0; ; redirects += 1) {
      assertPrivate(parts.url);
      const response = await sendOnce(client, parts);
      const next = redirectedParts(parts, response);
      if (next === undefined) return response;
      await response.body?.cancel();
      if (redirects === maxRedirects) throw new TypeError("fetch failed: too many redirects");
      parts = next;
    }
  };
}
