// Which hosts are this machine, and how a host is named in messages. Changes when an address form is added.

/**
 * True for an address that never leaves this machine: 127.0.0.0/8, `::1`, `localhost` and names below it
 * (RFC 6761 section 6.3). Takes a URL's `hostname`, with or without the brackets of an IPv6 address.
 */
export function isLoopbackHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  if (host === "::1" || host === "localhost" || host.endsWith(".localhost")) return true;
  return /^127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}$/.test(host);
}

/** `host:port` of a URL, the port always named. */
export function hostOf(url: string | URL): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "http:" ? "80" : "443")}`;
}
