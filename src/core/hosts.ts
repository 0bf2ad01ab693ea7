// How a host is named in messages, and what counts as this machine. Changes when the definition of loopback does.

const maxHostname = 255;

const defaultPorts: Readonly<Record<string, string>> = { "https:": "443", "http:": "80" };

/**
 * `host:port` of a URL for messages and log events: the port always stands there, path, query and user information
 * never. Text that is no URL becomes "an address that is none".
 */
export function hostAndPort(url: string | URL): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    return "an address that is none";
  }
  const port = parsed.port === "" ? defaultPorts[parsed.protocol] : parsed.port;
  const hostname = parsed.hostname.slice(0, maxHostname);
  return port === undefined ? hostname : `${hostname}:${port}`;
}

/**
 * True for an IP address, as a URL's hostname has it once its brackets are off: digits and dots alone, or a colon in it.
 * Loading Node's own test for that takes milliseconds.
 */
export function isAddress(hostname: string): boolean {
  return /^(?:[\d.]+|.*:.*)$/.test(hostname);
}

/** An address as a message may show it: without user name and password, should it have them. */
export function addressToShow(address: string): string {
  // URL parsers drop these, wherever they stand.
  const joined = address.replaceAll(/[\t\n\r]/g, "");
  return joined.replace(/^(\s*[A-Za-z][A-Za-z0-9+.-]*:[\\/]*)[^\\/?#]*@/, "$1");
}

/**
 * What `localhost` and every name below it stand for here. They are never looked up, neither to connect nor to listen:
 * a resolver may answer anything, and what counts as loopback may be spoken to without TLS.
 * @see RFC 6761 section 6.3: "Name resolution APIs and libraries [...] SHOULD NOT send queries for localhost names"
 */
export const localhostAddresses: readonly { readonly address: string; readonly family: 4 | 6 }[] = [
  { address: "127.0.0.1", family: 4 },
  { address: "::1", family: 6 },
];

/** True for `localhost` and names below it. */
export function isLocalhostName(hostname: string): boolean {
  const host = hostname.toLowerCase();
  if (host === "localhost") return true;
  return host.endsWith(".localhost") && host.length > ".localhost".length;
}

/**
 * True for this machine's own addresses as a URL's `hostname` names them: 127.0.0.0/8 in dotted form, `::1`, and
 * `localhost` with the names below it, which lead to {@link localhostAddresses} alone. Not for `0.0.0.0`, and not for
 * names that only begin like an address.
 * @see RFC 6761 section 6.3, RFC 8252 section 8.3
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase();
  if (isLocalhostName(host) || host === "::1" || host === "[::1]") return true;
  const octets = /^127\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  return octets !== null && octets.slice(1).every((octet) => Number(octet) <= 255);
}
