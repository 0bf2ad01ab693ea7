// What a call of `fetch` asks for, taken apart so that it can be sent again where that is safe.

/** The standard `fetch`. */
export type Fetch = typeof globalThis.fetch;
type Input = Parameters<Fetch>[0];
type Init = NonNullable<Parameters<Fetch>[1]>;
type Body = NonNullable<Init["body"]>;

/** One request. */
export interface RequestParts {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Body | undefined;
  /** Whether the body, if there is one, can be read again. */
  readonly canRepeat: boolean;
  /** The caller's own object, where it alone has the body. */
  readonly original: Request | undefined;
  readonly redirect: "follow" | "manual" | "error";
  readonly signal: AbortSignal | undefined;
  /** What else the caller set. */
  readonly others: Init;
}

function isRequest(input: Input): input is Request {
  return typeof input === "object" && "url" in input && "headers" in input;
}

/** A copy that the caller can no longer change; undefined for what can be read but once. */
function repeatableBody(body: Body): Body | undefined {
  if (typeof body === "string" || body instanceof Blob) return body;
  if (body instanceof URLSearchParams) return new URLSearchParams(body);
  if (body instanceof FormData) {
    const copy = new FormData();
    for (const [name, value] of body) copy.append(name, value);
    return copy;
  }
  if (body instanceof ArrayBuffer) return body.slice(0);
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  }
  return undefined;
}

/** @throws TypeError for an address that is not an absolute URL, as `fetch` itself. */
export function partsOf(input: Input, init: Init = {}): RequestParts {
  const request = isRequest(input) ? input : undefined;
  const { method, headers, body: given, signal, redirect, ...others } = init;
  const body = given ?? undefined;
  const repeatable = body === undefined ? undefined : repeatableBody(body);
  const hasOwnBody = body === undefined && (request?.body ?? undefined) !== undefined;
  return {
    url: new URL(isRequest(input) ? input.url : input),
    method: (method ?? request?.method ?? "GET").replace(
      /^(?:get|head|post|put|delete|options)$/i,
      (usual) => usual.toUpperCase(),
    ),
    headers: new Headers(headers ?? request?.headers),
    body: repeatable ?? body,
    canRepeat: !hasOwnBody && (body === undefined || repeatable !== undefined),
    original: hasOwnBody ? request : undefined,
    redirect: redirect ?? request?.redirect ?? "follow",
    signal: (signal === undefined ? request?.signal : signal) ?? undefined,
    others,
  };
}

/** Sends a request as it is, with these headers. */
export function sendParts(
  transport: Fetch,
  parts: RequestParts,
  headers: Headers,
  redirect: RequestParts["redirect"],
): Promise<Response> {
  const { original, url, method, body, signal, others } = parts;
  const init: Init = {
    ...others,
    headers,
    redirect,
    ...(signal === undefined ? {} : { signal }),
  };
  if (original !== undefined) return transport(original, { ...init, method });
  return transport(url, { ...init, method, ...(body === undefined ? {} : { body }) });
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);
const ofBody = [
  "content-encoding",
  "content-language",
  "content-location",
  "content-type",
  "content-length",
];
// What was meant for one origin stays there.
const ofOrigin = ["authorization", "cookie", "host", "proxy-authorization"];

function failed(why: string): TypeError {
  return new TypeError("fetch failed", { cause: new Error(why) });
}

/**
 * The request that a redirect asks for, or undefined where the answer is none.
 * @throws TypeError as `fetch` does: for an address that cannot be requested, and where a body would have to be read
 * a second time.
 * @see Fetch standard section 4.4, HTTP-redirect fetch
 */
export function redirectedParts(parts: RequestParts, response: Response): RequestParts | undefined {
  if (parts.redirect !== "follow" || !redirectStatuses.has(response.status)) return undefined;
  const location = response.headers.get("location");
  if (location === null) return undefined;
  const url = URL.parse(location, parts.url.href);
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    throw failed("the redirect leads to no http: or https: address");
  }
  const { method } = parts;
  const { status } = response;
  const becomesGet =
    (status === 303 && method !== "GET" && method !== "HEAD") ||
    ((status === 301 || status === 302) && method === "POST");
  if (!becomesGet && !parts.canRepeat) throw failed("the redirect asks for a body a second time");
  const headers = new Headers(parts.headers);
  if (becomesGet) for (const name of ofBody) headers.delete(name);
  if (url.origin !== parts.url.origin) for (const name of ofOrigin) headers.delete(name);
  const next = { ...parts, url, headers, original: undefined };
  return becomesGet ? { ...next, method: "GET", body: undefined, canRepeat: true } : next;
}
