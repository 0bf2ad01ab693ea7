// Which headers of a request and of an answer go through the proxy, and which end here.

/** Names and values in turn, as they came. */
export type RawHeaders = readonly string[];

// RFC 9110 section 7.6.1: they are about one connection, not about the request.
const ofConnection = [
  "connection",
  "http2-settings",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];
// What is said anew to the server: who asks, whom, and how long the body is.
const ofRequest = ["authorization", "content-length", "expect", "host"];

function* pairsOf(raw: RawHeaders): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < raw.length; at += 2) yield [raw[at] ?? "", raw[at + 1] ?? ""];
}

/** The names that end here: those of every connection, and those that this message says are. */
function endingHere(raw: RawHeaders, others: readonly string[]): ReadonlySet<string> {
  const named = [...pairsOf(raw)]
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.toLowerCase().split(/[\s,]+/));
  return new Set([...ofConnection, ...others, ...named]);
}

/** How the body of a request ends, as its own head says. */
function framingOf(raw: RawHeaders): Record<string, string> {
  let length: string | undefined;
  let isChunked = false;
  for (const [name, value] of pairsOf(raw)) {
    if (name.toLowerCase() === "content-length") length = value;
    if (name.toLowerCase() === "transfer-encoding") isChunked = true;
  }
  if (isChunked) return { "transfer-encoding": "chunked" };
  return length === undefined ? {} : { "content-length": length };
}

/**
 * The headers to send to the server, without its token. What the client sent as its own `Authorization` is for this
 * proxy, or for nobody; a header that `Connection` names goes no further, except for those that say how the body ends.
 * @param passesCookies false where a browser might have sent those of other programs on this machine.
 */
export function requestHeaders(raw: RawHeaders, passesCookies: boolean): Record<string, string> {
  const ends = endingHere(raw, passesCookies ? ofRequest : [...ofRequest, "cookie"]);
  const headers = Object.create(null) as Record<string, string>;
  for (const [name, value] of pairsOf(raw)) {
    const lower = name.toLowerCase();
    if (ends.has(lower)) continue;
    const before = headers[lower];
    const separator = lower === "cookie" ? "; " : ", ";
    headers[lower] = before === undefined ? value : before + separator + value;
  }
  return Object.assign(headers, framingOf(raw));
}

/** The protocol that a request asks to change to (RFC 9110 section 7.8), as headers. */
export function upgradeHeaders(protocol: string): Record<string, string> {
  return { connection: "Upgrade", upgrade: protocol };
}

/** A place on the server itself is named without its host: the client reaches it through the proxy. */
function locationHere(value: string, upstream: URL): string {
  const url = URL.parse(value);
  if (url === null || url.origin !== upstream.origin) return value;
  // Never read as the name of a host.
  const path = url.pathname.replace(/^\/{2,}/, "/");
  return `${path}${url.search}${url.hash}`;
}

/**
 * The headers to answer with. A `Location` on the server leads through the proxy; one elsewhere stays as it is.
 * @param passesCookies false where they would be kept for every program on this machine.
 */
export function answerHeaders(raw: RawHeaders, upstream: URL, passesCookies: boolean): string[] {
  const ends = endingHere(raw, passesCookies ? [] : ["set-cookie"]);
  return [...pairsOf(raw)].flatMap(([name, value]) => {
    const lower = name.toLowerCase();
    // How long the body is stays true of what `Connection` names, too.
    if (ends.has(lower) && lower !== "content-length") return [];
    return [name, lower === "location" ? locationHere(value, upstream) : value];
  });
}
