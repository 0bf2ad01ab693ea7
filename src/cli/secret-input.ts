// A secret from where it may have to be waited for: a pipe, or a person at a terminal. Ctrl-C ends the wait, and
// nothing that is typed is shown.

import type { Readable } from "node:stream";
import { isatty } from "node:tty";
import { OidcError } from "../core/errors.ts";
import { terminalRole } from "../interaction/foreground.ts";
import { readLines, type TerminalInput } from "../interaction/line-input.ts";
import { writeWhole } from "./output.ts";

/** Far beyond any secret that `clientSecret` accepts; enough to tell a wrong file from a long secret. */
export const maxSecretBytes = 64 * 1024;

/**
 * Reads to the end; undefined beyond the bound.
 * @throws the signal's reason, at once.
 */
export function readStream(
  stream: Readable,
  signal: AbortSignal,
  maxBytes: number = maxSecretBytes,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const settle = (finish: () => void): void => {
      signal.removeEventListener("abort", stop);
      // Late errors of what is destroyed are nobody's.
      stream.removeAllListeners().on("error", () => undefined);
      stream.destroy();
      finish();
    };
    const stop = (): void => settle(() => reject(signal.reason));
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener("abort", stop, { once: true });
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > maxBytes) settle(() => resolve(undefined));
    });
    stream.on("end", () => settle(() => resolve(Buffer.concat(chunks))));
    stream.on("error", (error) => settle(() => reject(error)));
  });
}

/**
 * Asks for the secret on a terminal, without echo.
 * @throws {OidcError} `invalid_option` for a job in the background, which a terminal would stop; the signal's reason.
 */
export async function readTyped(
  input: TerminalInput,
  signal: AbortSignal,
): Promise<Buffer | undefined> {
  if (terminalRole() === "background") {
    throw new OidcError(
      "invalid_option",
      "The client secret is to be typed, and this command runs in the background.",
      { remedy: "Bring it to the foreground, or set LATCHKEY_CLIENT_SECRET." },
    );
  }
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      signal.removeEventListener("abort", stop);
      reading.stop();
      if (isatty(2)) writeWhole(2, "\n");
      finish();
    };
    const stop = (): void => settle(() => reject(signal.reason));
    const reading = readLines(
      input,
      maxSecretBytes,
      {
        onLength: () => undefined,
        onLine: (line) => settle(() => resolve(Buffer.from(line))),
        onEnd: () => settle(() => resolve(Buffer.alloc(0))),
      },
      { holdsProcess: true },
    );
    // Last: whoever sees it may type at once, and nothing of it may be shown.
    if (isatty(2)) writeWhole(2, "Client secret (it is not shown): ");
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
