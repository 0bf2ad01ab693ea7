// Writing results and messages to the standard streams, synchronously. Changes when the way to a stream does.

import { writeSync } from "node:fs";

/** What became of a result. */
export type Written = "written" | "reader-gone";

function errorCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

// A pipe that the parent made non-blocking says EAGAIN until its reader has taken something; this waits a moment
// without a busy loop.
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/**
 * Writes the whole of it. A reader that has gone away (`latchkey status | head -1`) is no fault: it has what it wanted.
 * @throws the system's error for anything else, a full disk behind a redirection for example.
 */
export function writeWhole(descriptor: number, content: string | Uint8Array): Written {
  const bytes = typeof content === "string" ? Buffer.from(content, "utf8") : content;
  let offset = 0;
  while (offset < bytes.length) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const code = errorCode(error);
      if (code === "EPIPE") return "reader-gone";
      if (code !== "EAGAIN") throw error;
      pause(2);
    }
  }
  return "written";
}

/** Tells the person something. Where nobody can be told, the work goes on. */
export function tell(text: string): void {
  try {
    writeWhole(2, `${text}\n`);
  } catch {
    // Standard error is closed: there is nobody to tell.
  }
}

/** What is wrong on the command line alone, in words that end with its code; no error of the library. */
export class CommandFault extends Error {
  override readonly name: string = "CommandFault";
}

/** A result that could not be written. */
export class OutputFault extends CommandFault {
  override readonly name: string = "OutputFault";

  /** `place`: where it was to be written. */
  constructor(error: unknown, place = "standard output") {
    const code = errorCode(error) ?? "unknown fault";
    const problems: Readonly<Record<string, string>> = {
      ENOSPC: "no space is left",
      EDQUOT: "the quota is used up",
      EBADF: "it is closed",
      EIO: "the device reports an error",
      EFBIG: "the file would be too large",
      EACCES: "there are no rights to",
      ENOENT: "there is no such folder",
      EISDIR: "it is a folder",
    };
    const problem = problems[code] ?? code;
    super(`The result could not be written to ${place}: ${problem}. [output_failed]`);
  }
}

/**
 * Writes a result to standard output.
 * @throws {OutputFault}
 */
export function writeResult(text: string): void {
  try {
    writeWhole(1, text);
  } catch (error) {
    throw new OutputFault(error);
  }
}
