// What a failure of Redis is: one to try again, or an error for people with what to type. Changes when Redis refuses in
// another way.

import { OidcError, sanitizeProviderText } from "../../core/errors.ts";
import { run, say, type Wording } from "../../core/wording.ts";

// What a server answers that is about to be well again: starting, failing over, busy with a script of another.
const passing = new Set(["LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "TRYAGAIN", "BUSY"]);

const repliesOf = /^[A-Z][A-Z0-9]{2,20}\b/;

/** The word with which a server's refusal begins; undefined for what no server has answered. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const isReply = /^(Reply|Simple|Blob|Error)/.test(error.name) || isReplyClass(error);
  return isReply ? repliesOf.exec(error.message)?.[0] : undefined;
}

function isReplyClass(error: Error): boolean {
  for (let of: unknown = error; of !== null && of !== undefined; of = Object.getPrototypeOf(of)) {
    const name = (of as { constructor?: { name?: string } }).constructor?.name;
    if (name === "ErrorReply" || name === "ReplyError") return true;
  }
  return false;
}

// A server with as many connections as it may have, which some of them will end soon.
const tooMany = /max number of clients/;
const certificateCodes =
  /^(ERR_TLS_CERT_ALTNAME_INVALID|CERT_\w+|UNABLE_TO_\w+|SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT)$/;

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" && /^[A-Z_]{2,40}$/.test(code) ? code : undefined;
}

function isUntrusted(error: unknown): boolean {
  return certificateCodes.test(codeOf(error) ?? "");
}

/** Whether the same command may succeed in a moment: nobody answered, or the server is about to be well again. */
export function isPassing(error: unknown): boolean {
  if (isUntrusted(error)) return false;
  const refusal = refusalOf(error);
  return refusal === undefined || passing.has(refusal) || tooMany.test((error as Error).message);
}

/** Whether the server has become a replica: its writes go elsewhere, and this connection stays with it. */
export function isReplica(error: unknown): boolean {
  return ["READONLY", "MASTERDOWN"].includes(refusalOf(error) ?? "");
}

/** Where Redis is, for people. */
export interface RedisPlace {
  readonly location: string;
  /** The command that shows whether it runs, where that is known better than by the location. */
  readonly check?: string | undefined;
}

/** What went wrong at the last try. */
export function failureOf(error: unknown, place: RedisPlace): OidcError {
  if (isUntrusted(error)) return untrusted(error, place);
  return isPassing(error) ? unreachable(error, place) : refused(error, place);
}

/** The error without what clients hang on it: the command with its arguments, among them a password. */
function bare(error: unknown): Error {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const plain = new Error(typeof message === "string" ? sanitizeProviderText(message) : "unknown");
  return typeof code === "string" ? Object.assign(plain, { code }) : plain;
}

function commandFor({ location, check }: RedisPlace): Wording {
  const found = /^([\w.-]{1,255}|\[[\da-f:]{2,45}\]):(\d{1,5})$/i.exec(location);
  const [, host = "", port = ""] = found ?? [];
  const where = found === null ? "" : `-h ${host.replace(/[[\]]/g, "")} -p ${port} `;
  return say`See whether it runs: ${run(check ?? `redis-cli ${where}ping`)}.`;
}

/** Nobody answers there. */
export function unreachable(cause: unknown, place: RedisPlace): OidcError {
  const code = codeOf(cause);
  const why = code === undefined ? "" : ` (${code})`;
  return new OidcError(
    "store_unavailable",
    `Redis at ${place.location} does not answer${why}, and the sign-ins are kept there.`,
    { reason: "unreachable", remedy: commandFor(place), cause: bare(cause) },
  );
}

/** Its certificate is not good for it. Nothing was sent. */
function untrusted(cause: unknown, { location }: RedisPlace): OidcError {
  return new OidcError(
    "store_unavailable",
    `The certificate of Redis at ${location} is not trusted here (${codeOf(cause) ?? "unknown"}), so nothing was sent.`,
    {
      reason: "untrusted",
      remedy:
        codeOf(cause) === "ERR_TLS_CERT_ALTNAME_INVALID"
          ? "Use the host name that the certificate is for."
          : "Where a private authority signed it, start the program with NODE_EXTRA_CA_CERTS=FILE, or give a client of your own.",
      cause: bare(cause),
    },
  );
}

/** A server answered that it will not. Its words are quoted without what was sent to it. */
function refused(cause: unknown, { location }: RedisPlace): OidcError {
  const refusal = refusalOf(cause) ?? "";
  const remedies: Readonly<Record<string, string | Wording>> = {
    NOAUTH: "Give it a name and password: redis://NAME:PASSWORD@HOST:PORT.",
    WRONGPASS: "Check the name and password.",
    NOPERM:
      "Its user needs the commands EVAL, HMGET, HGET, HSET, DEL, RENAME, EXPIRE, PEXPIRE, PTTL, TIME, SCAN, PUBLISH and SUBSCRIBE, and the keys and channels below the prefix.",
    OOM: say`Its memory is full; see ${run("redis-cli info memory")}, and do not let it evict sign-ins (${run("redis-cli config set maxmemory-policy noeviction")}).`,
    MISCONF: "It cannot write to its disk; its own log says why.",
    WRONGTYPE: "Something else is kept below this prefix: set another one.",
  };
  return new OidcError(
    "store_unavailable",
    `Redis at ${location} refused what the store of sign-ins asked for (${sanitizeProviderText(refusal || "an unknown error", 40)}).`,
    {
      reason: "refused",
      remedy: remedies[refusal] ?? "Its own error is the cause of this one.",
      cause: bare(cause),
    },
  );
}
