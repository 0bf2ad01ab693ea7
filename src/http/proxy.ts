// Which proxy the environment wants for an address.

import { BlockList, isIP } from "node:net";
import { OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A proxy: where it is, and what is sent to it as `Proxy-Authorization`. */
export interface Proxy {
  /** Scheme, host and port; never user information. */
  readonly origin: string;
  /** `host:port`, for messages. */
  readonly host: string;
  /** Holds the password. */
  readonly authorization: string | undefined;
}

function variable(
  environment: Environment,
  name: string,
): { name: string; value: string } | undefined {
  for (const candidate of [name.toLowerCase(), name]) {
    const value = environment[candidate]?.trim();
    if (value !== undefined && value !== "") return { name: candidate, value };
  }
  return undefined;
}

function addressFamily(address: string): "ipv4" | "ipv6" | undefined {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : undefined;
}

function isInNetwork(hostname: string, entry: string): boolean {
  const [network = "", bits = ""] = entry.split("/", 2);
  const networkFamily = addressFamily(network);
  const hostFamily = addressFamily(hostname);
  const length = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (networkFamily === undefined || hostFamily !== networkFamily) return false;
  if (!(length <= (networkFamily === "ipv4" ? 32 : 128))) return false;
  const list = new BlockList();
  list.addSubnet(network, length, networkFamily);
  return list.check(hostname, hostFamily);
}

/** One entry of NO_PROXY: `*`, a name (with everything below it), an address, a network, each but `*` with a port or without. */
function isExempt(hostname: string, port: string, entry: string): boolean {
  if (entry === "*") return true;
  if (entry.includes("/")) return isInNetwork(hostname, entry);
  // An address has many spellings, a URL's only one: the two are compared as numbers.
  if (addressFamily(entry) === "ipv6") return isInNetwork(hostname, `${entry}/128`);
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry);
  if (parts === null) return false;
  if (parts[3] !== undefined && parts[3] !== port) return false;
  if (parts[1] !== undefined) return isInNetwork(hostname, `${parts[1]}/128`);
  const name = (parts[2] ?? "").replace(/^\*?\./, "");
  return name !== "" && (hostname === name || hostname.endsWith(`.${name}`));
}

function invalidProxy(name: string): OidcError {
  return new OidcError(
    "invalid_option",
    `The environment variable ${name} is not the address of a proxy.`,
    {
      remedy:
        "Accepted: an address such as http://proxy.example.com:3128 (http: or https:, special characters of a password percent-encoded).",
    },
  );
}

function parseProxy(name: string, value: string): Proxy {
  let url: URL;
  let credentials: string;
  try {
    // curl and others take an address without a scheme.
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
    credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  } catch {
    throw invalidProxy(name);
  }
  if ((url.protocol !== "http:" && url.protocol !== "https:") || url.hostname === "") {
    throw invalidProxy(name);
  }
  return {
    origin: url.origin,
    host: hostAndPort(url),
    authorization:
      credentials === ":" ? undefined : `Basic ${Buffer.from(credentials).toString("base64")}`,
  };
}

/**
 * The proxy for an address: `HTTPS_PROXY` or `HTTP_PROXY` by its scheme, unless `NO_PROXY` exempts it; lower case
 * wins. Loopback addresses are never proxied, whatever the variables say.
 * @throws {OidcError} `invalid_option` that names the variable, never its value (it may hold a password).
 */
export function proxyFor(url: URL, environment: Environment): Proxy | undefined {
  if (isLoopbackHost(url.hostname)) return undefined;
  const wanted = variable(environment, url.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (wanted === undefined) return undefined;
  // httpoxy (CVE-2016-5385): below a CGI program HTTP_PROXY is a header of whoever made the request.
  if (wanted.name === "HTTP_PROXY" && environment["REQUEST_METHOD"] !== undefined) return undefined;
  const hostname = url.hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  const port = url.port === "" ? (url.protocol === "https:" ? "443" : "80") : url.port;
  const exempt = (variable(environment, "NO_PROXY")?.value ?? "").toLowerCase().split(/[\s,]+/);
  if (exempt.some((entry) => isExempt(hostname, port, entry))) return undefined;
  return parseProxy(wanted.name, wanted.value);
}
