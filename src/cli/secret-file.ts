// The client secret from a file or from standard input. Changes when the way a secret is handed in does.

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { OidcError } from "../core/errors.ts";
import { absolutePath, type Machine } from "../options/paths.ts";

/** A client secret, and what the person should know about its file. */
export interface SecretFile {
  readonly secret: string;
  readonly warning: string | undefined;
}

// Far beyond any secret that `clientSecret` accepts; enough to tell a wrong file from a long secret.
const longestSecretBytes = 64 * 1024;

function refuse(message: string): OidcError {
  return new OidcError("invalid_option", message);
}

function errnoOf(error: unknown): string {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? "unknown fault";
}

/** Reads to the end; undefined beyond the bound. Standard input may say EAGAIN while its writer is still thinking. */
function readBounded(descriptor: number): Buffer | undefined {
  const buffer = Buffer.alloc(longestSecretBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    try {
      const count = readSync(descriptor, buffer, length, buffer.length - length, null);
      if (count === 0) return buffer.subarray(0, length);
      length += count;
    } catch (error) {
      if (errnoOf(error) === "EOF") return buffer.subarray(0, length);
      if (errnoOf(error) !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}

function secretOf(bytes: Buffer | undefined, what: string): string {
  if (bytes === undefined) {
    throw refuse(
      `${what} is longer than ${String(longestSecretBytes)} bytes: that is no client secret.`,
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
  return `Other users of this machine can read the client secret in ${path}. Type: chmod 600 ${path}`;
}

function readNamedFile(path: string, platform: NodeJS.Platform): SecretFile {
  const what = `The file ${path} (--client-secret-file)`;
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    const code = errnoOf(error);
    throw refuse(
      code === "ENOENT" ? `${what} does not exist.` : `${what} could not be opened (${code}).`,
    );
  }
  try {
    const warning = modeWarning(path, descriptor, platform);
    return { secret: secretOf(readBounded(descriptor), what), warning };
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`${what} could not be read (${errnoOf(error)}).`);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads the client secret; one newline at its end is not part of it. `-` is standard input.
 * @throws {OidcError} `invalid_option`, never with anything of the content.
 */
export function readClientSecret(file: string, machine: Machine): SecretFile {
  if (file !== "-") return readNamedFile(absolutePath(file, machine), machine.platform);
  try {
    return { secret: secretOf(readBounded(0), "Standard input"), warning: undefined };
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw refuse(`The client secret could not be read from standard input (${errnoOf(error)}).`);
  }
}
