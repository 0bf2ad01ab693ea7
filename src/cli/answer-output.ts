// What `latchkey fetch` prints of an answer, and where it goes.

import { closeSync, constants, openSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { isatty } from "node:tty";
import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { CommandFault, OutputFault, writeWhole } from "./output.ts";

/** What flags say of it. */
export interface AnswerOutput {
  /** A file for the body; undefined: standard output. */
  readonly file: string | undefined;
  /** Whether status and headers stand above the body. */
  readonly hasHead: boolean;
}

/** `404 Not Found`: the standard's words, not the server's. */
export function shownStatus(status: number): string {
  const { STATUS_CODES } = process.getBuiltinModule("node:http");
  return [String(status), STATUS_CODES[status] ?? ""].join(" ").trim();
}

function headOf({ status, headers }: Response): string {
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${shownStatus(status)}\r\n${lines.join("")}\r\n`;
}

/**
 * Finds out before anything is sent whether a file can be written at all.
 * @throws {OidcError} `invalid_option`.
 */
export function assertWritable({ file }: AnswerOutput): void {
  if (file === undefined) return;
  const isFolder = (path: string): boolean =>
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const problem = isFolder(file)
    ? "is a folder"
    : isFolder(dirname(file))
      ? undefined
      : "is in a folder that does not exist";
  if (problem === undefined) return;
  throw new OidcError(
    "invalid_option",
    `The file ${sanitizeProviderText(file, 300)} (--output) ${problem}. Nothing was sent.`,
  );
}

/** The file of `--output`, which exists from now on; standard output where none is named. */
function opened(file: string | undefined): number {
  if (file === undefined) return 1;
  try {
    return openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  } catch (error) {
    throw new OutputFault(error, sanitizeProviderText(file, 300));
  }
}

/** What a terminal would take for its own. */
function assertReadable(chunk: Uint8Array): void {
  if (!chunk.includes(0)) return;
  throw new CommandFault(
    "The answer is not text, so it was not printed on the terminal. Write it into a file: --output FILE, or - to print it all the same. [output_failed]",
  );
}

/**
 * Writes an answer as it comes. A reader that goes away has what it wanted.
 * @throws {CommandFault}, and what reading the answer throws.
 */
export async function writeAnswer(response: Response, output: AnswerOutput): Promise<void> {
  const file = output.file === "-" ? undefined : output.file;
  const isShown = output.file === undefined && isatty(1);
  const descriptor = opened(file);
  const write = (content: string | Uint8Array): boolean => {
    try {
      return writeWhole(descriptor, content) === "written";
    } catch (error) {
      throw new OutputFault(error, file && sanitizeProviderText(file, 300));
    }
  };
  try {
    let isFirst = true;
    if (output.hasHead && !write(headOf(response))) return;
    for await (const chunk of response.body ?? []) {
      if (isFirst && isShown) assertReadable(chunk);
      isFirst = false;
      if (!write(chunk)) return;
    }
  } finally {
    if (file !== undefined) closeSync(descriptor);
  }
}
