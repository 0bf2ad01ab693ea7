// What clients of a port show to a proxy: read from its file, or made and kept there.

import { closeSync, constants, fstatSync, mkdirSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import { OidcError } from "../core/errors.ts";
import type { Wording } from "../core/wording.ts";
import { modeOf, ownerProblem, toType } from "../files/remedy.ts";
import { errnoOf } from "../files/secure-read.ts";
import { replaceUserFile } from "../files/user-file.ts";

const secretBytes = 32;
/** Shortest one that is taken, in characters: nothing slows down whoever tries. */
const minCharacters = 32;
const maxCharacters = 512;
// What a bearer token may be (RFC 6750 section 2.1), so that it is one header everywhere.
const secretForm = /^[A-Za-z0-9\-._~+/]+=*$/;

function refuse(summary: string, remedy?: Wording | string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** The text of a file; undefined where it is not there. */
function readOwn(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw refuse(`The file ${path} (--secret-file) could not be opened (${errnoOf(error)}).`);
  }
  try {
    const stats = fstatSync(descriptor);
    const what = `The file ${path} (--secret-file)`;
    if (!stats.isFile()) throw refuse(`${what} is not a file.`);
    const user = process.geteuid?.();
    if (user !== undefined && stats.uid !== user) {
      const problem = ownerProblem(path, stats, user);
      throw refuse(`${what} ${problem.what}. It was not used.`, problem.remedy);
    }
    if (user !== undefined && (stats.mode & 0o077) !== 0) {
      throw refuse(
        `${what} is open to other users (mode ${modeOf(stats)}). It was not used.`,
        toType("chmod 600", path),
      );
    }
    const buffer = Buffer.alloc(maxCharacters + 2);
    return buffer.toString("utf8", 0, readSync(descriptor, buffer)).replace(/\r?\n$/, "");
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads the secret of a file that its user alone can read; where the file is not there, makes one in it (mode 0600).
 * @throws {OidcError} `invalid_option`, never with anything of the content; `cache_write_failed`.
 */
export function secretIn(path: string, randomBytes: (length: number) => Uint8Array): string {
  const known = readOwn(path);
  if (known === undefined) {
    const made = Buffer.from(randomBytes(secretBytes)).toString("base64url");
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    replaceUserFile(path, made);
    return made;
  }
  const isFit = known.length >= minCharacters && known.length <= maxCharacters;
  if (isFit && secretForm.test(known)) return known;
  throw refuse(
    `The file ${path} (--secret-file) holds no secret that can be used.`,
    `It holds ${String(minCharacters)} to ${String(maxCharacters)} letters and digits; remove the file, and one is made.`,
  );
}
