// A long-running program with one credential, told by lines what to do. Changes when tests of renewal ahead need
// another one. Bundled by `bundleModule` and run as `worker.mjs ISSUER CLIENT_ID`.
import { createInterface } from "node:readline";

import { OidcAuth } from "../../src/index.ts";

/** What a test tells the program; the end of its input lets it end by itself. */
export type AheadCommand =
  /** Get a token and say which. */
  | "get"
  /** Get one again and again from now on, and say each that is new or did not come from the cache. */
  | "work";

const [, , issuer = "", clientId = ""] = process.argv;
const auth = new OidcAuth({ issuer, clientId, openBrowser: false, callbackPort: 0 });
let isOver = false;
let last = "";

async function get(): Promise<void> {
  const { token, source } = await auth.getToken({ interactive: false, minValiditySeconds: 1 });
  if (token === last && source === "cache") return;
  last = token;
  process.stdout.write(`${JSON.stringify({ token, source })}\n`);
}

async function work(): Promise<void> {
  for (;;) {
    if (isOver) return;
    await get();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

const commands = createInterface({ input: process.stdin });
commands.on("line", (command) => {
  if (command === "get") last = "";
  const done = command === "work" ? work() : get();
  done.catch((error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
    isOver = true;
  });
});
commands.once("close", () => {
  isOver = true;
});
