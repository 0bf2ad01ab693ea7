// Changes when the clients of the simulation do another thing. Runs all clients of one scene in this process, on virtual
// time; each has a store of its own with its own connection, as a program on a machine of its own has.
import { randomBytes } from "node:crypto";
import { atWork, realMilliseconds, replaceClocks, virtualMilliseconds } from "./virtual-time.mjs";

replaceClocks();
const { OidcAuth } = await import("../../dist/index.js");
const { redisStore } = await import("../../dist/stores/redis.js");
const { createClient } = await import("redis");
const { recordFor } = await import("../cached-sign-in.mjs");

const { scene, issuer, urls } = JSON.parse(process.argv[2]);
const { clients, signIns, seconds, everySeconds, isCold } = scene;
const key = randomBytes(32);

const waits = { holders: [], waiters: [], calls: [] };
const sources = {};
const failures = {};
/** When each sign-in was renewed last, and the seconds between two renewals. */
const renewed = new Map();
const gaps = [];
let left = 0;

/** The same store, with a look at how long a lock takes; time is not skipped while it is at work. */
function watched(store) {
  const { read, replace, acquire, ...rest } = store;
  return {
    ...rest,
    read: (...given) => atWork(() => read(...given)),
    replace: (...given) => atWork(() => replace(...given)),
    acquire: (...given) =>
      atWork(async () => {
        const begun = realMilliseconds();
        const got = await acquire(...given).catch((error) => {
          // A renewal ahead that finds another client at it.
          left += 1;
          throw error;
        });
        waits[got.held ? "holders" : "waiters"].push(realMilliseconds() - begun);
        if (!got.held) return got;
        const [name] = given;
        const at = virtualMilliseconds() / 1000;
        if (renewed.has(name)) gaps.push(at - renewed.get(name));
        renewed.set(name, at);
        let isFreed = () => {};
        void atWork(() => new Promise((resolve) => (isFreed = resolve)));
        const freed = (free) => async (outcome) => {
          await atWork(() => free(outcome));
          isFreed();
        };
        return { ...got, finish: freed(got.finish), abandon: freed(got.abandon) };
      }),
  };
}

const optionsOf = (signIn) => ({ issuer, clientId: `client-${signIn}` });
/**
 * A connection for each client. Where all of them wait at once, each needs a second one, and a process may open 20,000
 * files here: so two share one then. @param {string} url
 */
async function wayTo(url) {
  if (!isCold) return { url };
  const half = halves.get(url);
  halves.delete(url);
  if (half !== undefined) return { client: half };
  const client = createClient({ url });
  client.on("error", () => {});
  await client.connect();
  halves.set(url, client);
  return { client };
}
const halves = new Map();

const memoryBefore = process.memoryUsage().rss;
const fleet = [];
for (let at = 0; at < clients; at += 1) {
  const signIn = Math.floor((at * signIns) / clients);
  // One server after the other: the package `redis` makes its classes anew where the address is another one.
  const where = await wayTo(urls[Math.floor((signIn * urls.length) / signIns)]);
  const store = watched(redisStore({ ...where, key, prefix: "scale" }));
  const auth = new OidcAuth({ ...optionsOf(signIn), store, onPrompt: () => {} });
  fleet.push({ auth, store });
}

async function inGroups(items, size, work) {
  for (let at = 0; at < items.length; at += size) {
    await Promise.all(items.slice(at, at + size).map(work));
  }
}

// One sign-in for each client id, whose access token was issued now, or has ended.
await inGroups([...Array(signIns).keys()], 200, async (signIn) => {
  const record = recordFor(optionsOf(signIn), {
    tokenEndpoint: `${issuer}/token`,
    isExpired: isCold,
  });
  record.refreshToken = `${signIn}.0`;
  const issuedAt = Math.floor(Date.now() / 1000) - (isCold ? 3600 : 0);
  record.accessToken = { ...record.accessToken, issuedAt, expiresAt: issuedAt + 300 };
  delete record.idToken;
  await fleet[Math.floor((signIn * clients) / signIns)].store.replace(
    record.key,
    undefined,
    record,
  );
  renewed.set(record.key, virtualMilliseconds() / 1000);
});
// Connections stand before the clock runs.
await inGroups(fleet, 200, ({ store }) => store.read("warm"));

async function call({ auth }) {
  const begun = realMilliseconds();
  try {
    const { source } = await atWork(() => auth.getToken({ interactive: false }));
    sources[source] = (sources[source] ?? 0) + 1;
  } catch (error) {
    const name = [error.code, error.reason].join(" ");
    failures[name] = (failures[name] ?? 0) + 1;
  }
  waits.calls.push(realMilliseconds() - begun);
}

const ask = (question) =>
  new Promise((resolve) => {
    process.once("message", resolve);
    process.send(question);
  });

await atWork(() => ask("begin"));
const begun = { virtual: virtualMilliseconds(), real: realMilliseconds(), cpu: process.cpuUsage() };
let most = process.memoryUsage().rss;
if (isCold) {
  await Promise.all(fleet.map(call));
} else {
  const end = begun.virtual + seconds * 1000;
  // Each asks at moments of its own: on average every so many seconds.
  await Promise.all(
    fleet.map(async (client) => {
      for (let isFirst = true; ; isFirst = false) {
        const pause = isFirst ? Math.random() : -Math.log(1 - Math.random());
        await new Promise((resolve) => setTimeout(resolve, pause * everySeconds * 1000));
        if (virtualMilliseconds() >= end) return;
        await call(client);
      }
    }),
  );
}
most = Math.max(most, process.memoryUsage().rss);
const { user, system } = process.cpuUsage(begun.cpu);

function told(values) {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((share) => at(share) ?? null);
  return { count: sorted.length, p50, p90, p99, p999, most: sorted.at(-1) ?? null };
}
await atWork(() =>
  ask({
    virtualSeconds: isCold ? null : seconds,
    realSeconds: (realMilliseconds() - begun.real) / 1000,
    cpuSeconds: (user + system) / 1e6,
    clientKibibytes: (most - memoryBefore) / clients / 1024,
    sources,
    failures,
    left,
    gaps: told(gaps),
    waits: Object.fromEntries(Object.entries(waits).map(([name, values]) => [name, told(values)])),
  }),
);
process.exit();
