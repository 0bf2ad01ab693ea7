// A program that makes one call of `getToken` when it is told to: `worker.mjs JSON`. Bundled by `bundleModule`. Changes
// when tests of calls in several processes need another thing of them.

import { once } from "node:events";
import { isOidcError, OidcAuth } from "../../src/index.ts";
import type { GetTokenOptions, OidcAuthOptions } from "../../src/index.ts";

/** What the program is made of; functions cannot be handed over. */
export interface TokenWork {
  readonly options: OidcAuthOptions;
  readonly call: GetTokenOptions;
}

/** What it says, one JSON object a line. */
export type TokenNews =
  | { readonly says: "ready" }
  | { readonly says: "waiting" }
  | { readonly says: "token"; readonly token: string; readonly source: string }
  | { readonly says: "error"; readonly code: string; readonly reason: string | undefined };

function say(news: TokenNews): void {
  process.stdout.write(`${JSON.stringify(news)}\n`);
}

const work = JSON.parse(process.argv[2] ?? "") as TokenWork;
const auth = new OidcAuth({
  ...work.options,
  onPrompt: ({ type }) => {
    if (type === "waitingForOther") say({ says: "waiting" });
  },
});
say({ says: "ready" });
await once(process.stdin, "data");
process.stdin.destroy();
try {
  const { token, source } = await auth.getToken(work.call);
  say({ says: "token", token, source });
} catch (error) {
  if (!isOidcError(error)) throw error;
  say({ says: "error", code: error.code, reason: error.reason });
}
