// The proxy for a PostgreSQL server.

import { basename, dirname, join } from "node:path";
import { OidcError } from "../../../core/errors.ts";
import { isLoopbackHost } from "../../../core/hosts.ts";
import { typedPath } from "../../../files/remedy.ts";
import { PostgresProxy } from "../../../proxy/postgres/postgres-proxy.ts";
import { ServerSignIns } from "../../../proxy/postgres/server-sign-in.ts";
import { fileNameOf } from "./file-name.ts";
import type { ProxyKind } from "./started-proxy.ts";

const usualPort = "5432";
/** As clients look for it in a folder: `.s.PGSQL.PORT`. */
const socketName = /^\.s\.PGSQL\.(\d{1,5})$/;

function refuse(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** How the server is spoken to, as libpq names it. */
interface Manner {
  readonly isPlain: boolean;
  readonly isDirect: boolean;
}

function mannerOf({ searchParams, hostname }: URL): Manner {
  const manner = { isPlain: false, isDirect: false };
  for (const [name, value] of searchParams) {
    if (name === "sslmode" && (value === "verify-full" || value === "disable")) {
      manner.isPlain = value === "disable";
    } else if (name === "sslnegotiation" && (value === "postgres" || value === "direct")) {
      manner.isDirect = value === "direct";
    } else {
      throw refuse(
        "URL has a parameter that this proxy does not take.",
        "It takes sslmode=verify-full (the default), sslmode=disable on this machine, sslnegotiation=direct.",
      );
    }
  }
  if (manner.isPlain && !isLoopbackHost(hostname)) {
    throw refuse("sslmode=disable is for a server on this machine alone: a token is sent to it.");
  }
  return manner;
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word);
  } catch {
    throw refuse("URL has a % with no two digits behind it.");
  }
}

/** A word of a connection string, as libpq reads it. */
function quoted(word: string): string {
  return /^[\w./@%+-]+$/.test(word) ? word : `'${word.replaceAll(/[\\']/g, String.raw`\$&`)}'`;
}

function connectionString(words: Readonly<Record<string, string>>): string {
  return Object.entries(words)
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${quoted(value)}`)
    .join(" ");
}

/** @throws {OidcError} `invalid_option`: the address is not one that PostgreSQL is spoken to. */
export function proxyForPostgres(url: URL): ProxyKind {
  const database = decoded(url.pathname.replace(/^\//, ""));
  const user = decoded(url.username);
  if (url.hash !== "" || database.includes("/")) {
    throw refuse("URL is not an address.", "It looks like postgres://db.example.com:5432/app.");
  }
  const { isPlain, isDirect } = mannerOf(url);
  const port = url.port === "" ? usualPort : url.port;
  const upstream = new URL(`${isPlain ? "http" : "https"}://${url.hostname}:${port}`);
  const name = fileNameOf(url);
  return {
    upstream,
    saysWhereToSignIn: false,
    name,
    ownSocket: join(name, `.s.PGSQL.${port}`),
    socketAt: (path) => (socketName.test(basename(path)) ? path : join(path, `.s.PGSQL.${port}`)),
    start: ({ tokens, dialer, secret, clock, words, onFailure }) => {
      const signIns = new ServerSignIns({ url: upstream, isDirect }, tokens, dialer, onFailure);
      const proxy = new PostgresProxy({ signIns, database, secret, words, onFailure });
      return {
        server: proxy.createServer(),
        clock,
        describe: (place, taken, secretFile) => {
          const reached =
            place.kind === "socket"
              ? {
                  host: dirname(place.path),
                  port: socketName.exec(basename(place.path))?.[1] ?? port,
                }
              : { host: "127.0.0.1", port: String(taken) };
          const address = connectionString({ ...reached, user, dbname: database });
          const shown =
            secretFile === undefined ? "" : ` The password is in ${typedPath(secretFile)}.`;
          return {
            address,
            hint: `Clients are signed in at ${url.hostname} with your token. Try: psql "${address}"${shown}`,
          };
        },
      };
    },
  };
}
