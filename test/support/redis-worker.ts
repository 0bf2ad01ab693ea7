// A program of a fleet whose sign-in is in Redis: makes one call of `getToken` when it is told to. Bundled by
// `bundleModule`. Changes when tests of a fleet need another thing of its programs.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import { isOidcError, OidcAuth } from "../../src/index.ts";
import type { GetTokenOptions, OidcAuthOptions } from "../../src/index.ts";
import { parseRedisAddress } from "../../src/store/redis/redis-address.ts";
import { connectionTo } from "../../src/store/redis/redis-connection.ts";
import { createRedisStore } from "../../src/store/redis/redis-store.ts";

/** What the program is made of. */
export interface RedisWork {
  readonly options: OidcAuthOptions;
  readonly call: GetTokenOptions;
  readonly url: string;
  /** A file of the folder where the packages are. */
  readonly root: string;
  /** In base64. */
  readonly key: string;
  /** So many times as fast time passes, but for the lease, which Redis counts too: it is as much shorter. */
  readonly speed: number;
  /** Stops itself (SIGSTOP) once it has read its announcement back: the refresh is about to be sent. */
  readonly stopsBeforeSending: boolean;
}

/** What it says, one JSON object a line. */
export type RedisNews =
  | { readonly says: "ready" }
  | { readonly says: "waiting" }
  | { readonly says: "token"; readonly token: string; readonly source: string }
  | { readonly says: "error"; readonly code: string; readonly reason: string | undefined };

function say(news: RedisNews): void {
  process.stdout.write(`${JSON.stringify(news)}\n`);
}

const work = JSON.parse(process.argv[2] ?? "") as RedisWork;
const realClock: Clock = { ...systemClock };
const fastClock: Clock = {
  now: () => realClock.now(),
  monotonic: () => realClock.monotonic() * work.speed,
  sleep: (milliseconds, options) => realClock.sleep(milliseconds / work.speed, options),
};
// The one clock of everything that the credential puts together.
Object.assign(systemClock, fastClock);
const address = parseRedisAddress(work.url);
if (address === undefined) throw new Error("not an address");
const { resolve } = createRequire(work.root);
const connection = connectionTo(address, (name) => import(pathToFileURL(resolve(name)).href));
const inner = createRedisStore({
  client: () => connection.client(),
  location: address.location,
  key: Buffer.from(work.key, "base64"),
  prefix: "fleet",
  clock: realClock,
  randomBytes,
  machine: String(process.pid),
  times: {
    lease: 30_000 / work.speed,
    renewal: 8000 / work.speed,
    margin: 5000 / work.speed,
  },
  patienceMilliseconds: 10_000,
});
let hasWritten = false;
const auth = new OidcAuth({
  ...work.options,
  store: {
    ...inner,
    replace: async (...parameters) => {
      const result = await inner.replace(...parameters);
      hasWritten = true;
      return result;
    },
    read: async (key) => {
      const record = await inner.read(key);
      if (work.stopsBeforeSending && hasWritten) {
        hasWritten = false;
        process.kill(process.pid, "SIGSTOP");
      }
      return record;
    },
  },
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
