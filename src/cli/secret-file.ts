// The client secret from a file or from standard input. Changes when the way a secret is handed in does.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { Socket } from "node:net";
import { isatty, ReadStream } from "node:tty";
import { OidcError } from "../core/errors.ts";
import type { Wording } from "../core/wording.ts";
import { powerProblem } from "../files/powerful-file.ts";
import { absolutePath, type Machine } from "../options/paths.ts";
import { maxSecretBytes, readStream, readTyped } from "./secret-input.ts";

/** A client secret, and what the person should know about its file. */
export interface SecretFile {
  readonly secret: string;
  readonly warning: string | undefined;
}

function refuse(summary: string, remedy?: Wording): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "unknown fault";
}

/** A file that is there whole: undefined beyond the bound. */
function readBounded(descriptor: number): Buffer | undefined {
  const buffer = Buffer.alloc(maxSecretBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const count = readSync(descriptor, buffer, length, buffer.length - length, null);
    if (count === 0) return buffer.subarray(0, length);
    length += count;
  }
  return undefined;
}

function secretOf(bytes: Buffer | undefined, what: string): string {
  if (bytes === undefined) {
    throw refuse(
      `${what} is longer than ${String(maxSecretBytes)} bytes: that is no client secret.`,
    );
  }
  const secret = bytes.toString("utf8").replace(/\r?\n$/, "");
  if (secret === "") throw refuse(`${what} is empty: no client secret was read.`);
  return secret;
}

function modeWarning(
  path: string,
  descriptor: number,
  platform: NodeJS.Platform,
): string | undefined {
  const stats = fstatSync(descriptor);
  // Judged by its descriptor. A pipe (`<(pass show client)`) has no other readers; Windows has no mode bits.
  if (platform === "win32" || !stats.isFile() || (stats.mode & 0o044) === 0) return undefined;
  // What root put there, as a container's secrets are, is not this user's to change.
  if (stats.uid !== process.geteuid?.()) return undefined;
  return `Other users of this machine can read the client secret in ${path}. Type: chmod 600 ${path}`;
}

/** Reads what is open, and closes it. Only what may have to be waited for is read without blocking Ctrl-C. */
async function readOpened(descriptor: number, signal: AbortSignal): Promise<Buffer | undefined> {
  if (isatty(descriptor)) {
    const terminal = new ReadStream(descriptor);
    try {
      return await readTyped(terminal, signal);
    } finally {
      terminal.destroy();
    }
  }
  if (fstatSync(descriptor).isFIFO()) {
    return readStream(new Socket({ fd: descriptor, readable: true, writable: false }), signal);
  }
  try {
    return readBounded(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

async function readNamedFile(
  path: string,
  platform: NodeJS.Platform,
  signal: AbortSignal,
): Promise<SecretFile> {
  const what = `The file ${path} (--client-secret-file)`;
  let descriptor: number;
  try {
    // A FIFO that nobody writes to yet would hold the opening, and with it the whole program.
    descriptor = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const code = errnoOf(error);
    throw refuse(
      code === "ENOENT" ? `${what} does not exist.` : `${what} could not be opened (${code}).`,
    );
  }
  try {
    const problem = powerProblem(path, fstatSync(descriptor));
    if (problem !== undefined) {
      closeSync(descriptor);
      throw refuse(`${what} ${problem.what}. It was not used.`, problem.remedy);
    }
    const warning = modeWarning(path, descriptor, platform);
    return { secret: secretOf(await readOpened(descriptor, signal), what), warning };
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`${what} could not be read (${errnoOf(error)}).`);
  }
}

/**
 * Reads the client secret; one newline at its end is not part of it. `-` is standard input: a pipe, a file, or a
 * terminal, where it is typed without echo.
 * @throws {OidcError} `invalid_option`, never with anything of the content; the signal's reason.
 */
export async function readClientSecret(
  file: string,
  machine: Machine,
  signal: AbortSignal,
): Promise<SecretFile> {
  if (file !== "-") return readNamedFile(absolutePath(file, machine), machine.platform, signal);
  try {
    const bytes = await (isatty(0)
      ? readTyped(process.stdin, signal)
      : readStream(process.stdin, signal));
    return { secret: secretOf(bytes, "Standard input"), warning: undefined };
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`The client secret could not be read from standard input (${errnoOf(error)}).`);
  }
}
