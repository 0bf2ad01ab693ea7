// A program that reads from a store in Redis, and says what came of it; for what is set when a process starts. Bundled by
// `bundleModule`. Changes when tests ask another thing of it.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isOidcError } from "../../src/core/errors.ts";
import { ownRedisStore } from "./own-redis-store.ts";
import type { ClientName } from "./redis-clients.ts";

const [url = "", client = "", root = ""] = process.argv.slice(2);
const { resolve } = createRequire(root);
const { store, connection } = ownRedisStore({
  url,
  client: client as ClientName,
  key: new Uint8Array(32),
  prefix: "probe",
  load: (name) => import(pathToFileURL(resolve(name)).href),
  changes: { patienceMilliseconds: 3000 },
});
try {
  process.stdout.write((await store.read("key"))?.version ?? "absent");
} catch (error) {
  if (!isOidcError(error)) throw error;
  process.stdout.write(`${String(error.reason)}: ${error.message}`);
} finally {
  await connection.close();
}
