// An address of Redis taken apart: one server, a cluster, or sentinels that know one. Changes when another form is accepted.

/** What an address says. */
export interface RedisAddress {
  readonly kind: "server" | "cluster" | "sentinel";
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** At least one; of a server exactly one. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly database: number | undefined;
  /** What the sentinels call the server. */
  readonly name: string | undefined;
  /** For people: without a name or a password. */
  readonly location: string;
  /** The command with which they look whether it runs. */
  readonly check: string;
}

/** What is accepted, for people. */
export const acceptedAddresses =
  "redis://[NAME:PASSWORD@]HOST[:PORT][/DATABASE], rediss:// for TLS, redis+cluster://HOST:PORT,HOST:PORT or redis+sentinel://HOST:PORT,HOST:PORT/NAME[/DATABASE]";

const longest = 4096;
const form =
  /^(redis|rediss)(?:\+(cluster|sentinel))?:\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?$/;
const hostForm = /^(\[[\da-fA-F:.]+\]|[\w.-]{1,255})(?::(\d{1,5}))?$/;

function decoded(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : decodeURIComponent(text);
}

function hostsOf(
  text: string,
  defaultPort: number,
): readonly { readonly host: string; readonly port: number }[] | undefined {
  const hosts = text.split(",").map((each) => {
    const [, host = "", port] = hostForm.exec(each) ?? [];
    return {
      host: host.replace(/[[\]]/g, ""),
      port: port === undefined ? defaultPort : Number(port),
    };
  });
  const isGood = hosts.every(({ host, port }) => host !== "" && port > 0 && port < 65_536);
  return isGood ? hosts : undefined;
}

/** What shows whether it runs; of several hosts by the first one. */
function checkOf(address: Omit<RedisAddress, "check">): string {
  const { kind, tls, hosts, name = "" } = address;
  const [{ host, port }] = hosts as [RedisAddress["hosts"][number]];
  const questions = {
    server: "ping",
    cluster: "cluster info",
    // Anything else would have to be quoted for the shell.
    sentinel: /^[\w.-]+$/.test(name) ? `sentinel get-master-addr-by-name ${name}` : "info sentinel",
  };
  return `redis-cli ${tls ? "--tls " : ""}-h ${host} -p ${port} ${questions[kind]}`;
}

/** Undefined for what is not an address of Redis. It never quotes what it was given: that holds a password. */
export function parseRedisAddress(text: string): RedisAddress | undefined {
  const parts = text.length > longest ? null : form.exec(text);
  if (parts === null) return undefined;
  const [, scheme, special, login, authority = "", path = ""] = parts;
  const kind = (special ?? "server") as RedisAddress["kind"];
  const hosts = hostsOf(authority, kind === "sentinel" ? 26_379 : 6379);
  if (hosts === undefined || (kind === "server" && hosts.length > 1)) return undefined;
  const [first = "", second] = path.split("/");
  const name = kind === "sentinel" ? first : undefined;
  const databaseText = (kind === "sentinel" ? second : first) ?? "";
  if (name === "" || !/^\d{0,4}$/.test(databaseText)) return undefined;
  // A cluster has one database alone.
  if (kind === "cluster" && databaseText !== "") return undefined;
  const colon = login?.indexOf(":") ?? -1;
  try {
    const address = {
      kind,
      tls: scheme === "rediss",
      username: decoded(colon === -1 ? login : login?.slice(0, colon)),
      password: colon === -1 ? undefined : decoded(login?.slice(colon + 1)),
      hosts,
      database: databaseText === "" ? undefined : Number(databaseText),
      name: name === undefined ? undefined : decoded(name),
      location: hosts
        .map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`)
        .join(","),
    };
    return { ...address, check: checkOf(address) };
  } catch {
    // A percent sign that stands for nothing.
    return undefined;
  }
}
