// Loads parts of the program that are needed later, and makes things once. Changes when a load can fail in another way.

import { isOidcError, OidcError, type Reason } from "./errors.ts";
import { run, say, type Wording } from "./wording.ts";

const missing: ReadonlySet<string> = new Set([
  "MODULE_NOT_FOUND",
  "ERR_MODULE_NOT_FOUND",
  "ENOENT",
]);
const outOfDescriptors: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

/** What a load failed with, as an error with a reason and a way out. */
export function unloadable(error: unknown): OidcError {
  const { code } = error as NodeJS.ErrnoException;
  const fail = (
    reason: Reason<"runtime_unavailable">,
    summary: string,
    remedy: string | Wording,
  ): OidcError => new OidcError("runtime_unavailable", summary, { reason, remedy, cause: error });
  if (outOfDescriptors.has(code ?? "")) {
    return fail(
      "too_many_open_files",
      `A part of Latchkey could not be loaded, because too many files are open here (${String(code)}).`,
      say`Close some, or raise the limit (${run("ulimit -n")}), and try again.`,
    );
  }
  if (missing.has(code ?? "")) {
    return fail(
      "module_missing",
      "A part of Latchkey, or of a package that it needs, is not where it was installed.",
      "If it was upgraded or moved while this program ran, start this program again; if it stays this way, install Latchkey again.",
    );
  }
  return fail(
    "module_unreadable",
    `A part of Latchkey could not be loaded${code === undefined ? "" : ` (${code})`}.`,
    "Try again; if it stays this way, install Latchkey again.",
  );
}

/**
 * Loads a part by its `import()`. A load that failed is not remembered by anybody: what is packed is CommonJS, which
 * Node reads again, while Node 20 keeps the failure of an ES module for as long as the process lives.
 * @throws {OidcError} `runtime_unavailable` with the reason `module_missing`, `module_unreadable` or
 * `too_many_open_files`.
 */
export async function loadPart<Part>(load: () => Promise<Part>): Promise<Part> {
  try {
    return await load();
  } catch (error) {
    throw isOidcError(error) ? error : unloadable(error);
  }
}

/** A function that makes something at its first call and gives it again at each later one; a failure is not kept. */
export function madeOnce<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    if (made === undefined) {
      const making = make();
      made = making;
      making.catch(() => {
        if (made === making) made = undefined;
      });
    }
    return made;
  };
}
