// The warm command: prints a cached token, and hands everything else on: what the Tab key asks to complete.ts, the rest
// to the full program. Bundled into one CommonJS file; measured, each built-in module beyond the start-up snapshot costs milliseconds.

import { realpathSync } from "node:fs";
import { OutputFault, tell, writeResult } from "./output.ts";
import { warmAnswer } from "./warm/answer.ts";

// Without a listener SIGUSR1 opens Node's debugger on 127.0.0.1:9229, where every user of the machine may run code in
// this process. This is the first moment at which a script can keep it shut.
process.on("SIGUSR1", () => undefined);

function cachedAnswer(): string | undefined {
  try {
    return warmAnswer(process.argv.slice(2), {
      environment: process.env,
      platform: process.platform,
    });
  } catch {
    // The full program does all of it again and reports what is wrong.
    return undefined;
  }
}

/** With `--preserve-symlinks-main` this file goes by the name of a link to it, and the others are not next to that. */
async function besideTheRealFile(error: unknown, name: string): Promise<unknown> {
  const typed = process.argv[1] ?? "";
  const real = realpathSync(typed);
  // Of `import()` (ERR_…), or of the `require` that it is once it is packed.
  const isMissing = (error as NodeJS.ErrnoException).code?.endsWith("MODULE_NOT_FOUND") === true;
  if (!isMissing || real === typed || !real.startsWith("/")) throw error;
  const folder = real.slice(0, real.lastIndexOf("/") + 1);
  return import(`file://${folder.split("/").map(encodeURIComponent).join("/")}${name}.cjs`);
}

const answer = process.argv[2] === "__complete" ? "" : cachedAnswer();
if (answer === "") {
  import("./complete.ts")
    .catch((error: unknown) => besideTheRealFile(error, "complete"))
    // A shell that asks for candidates shows them alone.
    .catch(() => undefined);
} else if (answer === undefined) {
  import("./main.ts")
    .catch((error: unknown) => besideTheRealFile(error, "main"))
    .catch((error: unknown) => {
      const { code = "" } = error as NodeJS.ErrnoException;
      // Said here, because everything that says such things better is what could not be loaded.
      tell(
        code === "EMFILE" || code === "ENFILE"
          ? `Latchkey could not be loaded, because too many files are open here (${code}). Raise the limit (ulimit -n), and try again. [runtime_unavailable: too_many_open_files]`
          : "Latchkey could not be loaded: files of it, or of a package that it needs, are not as they were installed. Try again if it is being upgraded; if it stays this way, install it again. [runtime_unavailable: module_missing]",
      );
      process.exitCode = 1;
    });
} else {
  try {
    writeResult(answer);
    // All is written, and nothing is open: taking Node's world apart in order would cost one part in seventy of a start.
    process.exit();
  } catch (error) {
    // Not handed on: part of the answer may have been written, and it must not be printed twice.
    tell(error instanceof OutputFault ? error.message : String(error));
    process.exitCode = 1;
  }
}
