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

/** Whether the same command may succeed in a moment: nobody answered, or the server is about to be well again. */
export function isPassing(error: unknown): boolean {
  const refusal = refusalOf(error);
  return refusal === undefined || passing.has(refusal);
}

/** The error without what clients hang on it: the command with its arguments, among them a password. */
function bare(error: unknown): Error {
  const { message, code } = (error ?? {}) as { message?: unknown; code?: unknown };
  const plain = new Error(typeof message === "string" ? sanitizeProviderText(message) : "unknown");
  return typeof code === "string" ? Object.assign(plain, { code }) : plain;
}

function commandFor(location: string): Wording {
  const found = /^([\w.-]{1,255}|\[[\da-f:]{2,45}\]):(\d{1,5})$/i.exec(location);
  const [, host = "", port = ""] = found ?? [];
  if (found === null) return say`See whether it runs: ${run("redis-cli ping")}.`;
  return say`See whether it runs: ${run(`redis-cli -h ${host.replace(/[[\]]/g, "")} -p ${port} ping`)}.`;
}

/** Nobody answers there. */
export function unreachable(location: string, cause: unknown): OidcError {
  const { code } = (cause ?? {}) as NodeJS.ErrnoException;
  const why = typeof code === "string" && /^[A-Z_]{2,40}$/.test(code) ? ` (${code})` : "";
  return new OidcError(
    "store_unavailable",
    `Redis at ${location} does not answer${why}, and the sign-ins are kept there.`,
    { reason: "unreachable", remedy: commandFor(location), cause: bare(cause) },
  );
}

/** A server answered that it will not. Its words are quoted without what was sent to it. */
export function refused(location: string, cause: unknown): OidcError {
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
