// Changes when a fleet's machines can fail in another way. Fifty programs on ten hosts share one sign-in in a real Redis:
//
//   node bench/hosts.mjs [--rounds N]
//
// Each host is a network namespace of its own with a cable to a bridge, where Redis and a provider are that ends a sign-in
// when a used refresh token comes back (Linux, root, `ip`, `redis-server`). In each round the token has ended for all at once; in
// some, Redis is killed and started again, the program that renews is stopped for longer than its lease, or half of the
// hosts are unplugged. Then all ask once more. It fails where a refresh token is sent twice, where programs end up with
// different tokens, or where Redis has another refresh token than the provider's newest. Build first.
import { execFileSync, fork, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readlinkSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const self = fileURLToPath(import.meta.url);
const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
const [hosts, each] = [10, 5];

if (process.env["LATCHKEY_BENCH_INSIDE"] === undefined) {
  const inside = { ...process.env, LATCHKEY_BENCH_INSIDE: "1" };
  const words = ["-n", process.execPath, self, "--rounds", values.rounds];
  const { status } = spawnSync("unshare", words, { env: inside, stdio: "inherit" });
  process.exit(status ?? 1);
}

const ip = (/** @type {string[]} */ ...words) => execFileSync("ip", words, { stdio: "pipe" });
const bridge = "10.77.0.1";
ip("link", "set", "lo", "up");
ip("link", "add", "br0", "type", "bridge");
ip("addr", "add", `${bridge}/24`, "dev", "br0");
ip("link", "set", "br0", "up");

/** A host: a namespace that a process holds open, and its end of a cable. @param {number} number */
async function host(number) {
  const holder = spawn("unshare", ["-n", "sleep", "3600"], { stdio: "ignore" });
  const own = readlinkSync("/proc/self/ns/net");
  while (readlinkSync(`/proc/${holder.pid}/ns/net`) === own) await pause(10);
  const inside = ["-t", String(holder.pid), "-n"];
  const there = (/** @type {string[]} */ ...words) =>
    execFileSync("nsenter", [...inside, "ip", ...words], { stdio: "pipe" });
  ip("link", "add", `v${number}`, "type", "veth", "peer", "name", `e${number}`);
  ip("link", "set", `v${number}`, "master", "br0", "up");
  ip("link", "set", `e${number}`, "netns", String(holder.pid));
  there("addr", "add", `10.77.0.${10 + number}/24`, "dev", `e${number}`);
  there("link", "set", `e${number}`, "up");
  there("link", "set", "lo", "up");
  return {
    holder,
    inside,
    plug: (/** @type {"up" | "down"} */ to) => ip("link", "set", `v${number}`, to),
  };
}

let newest = "first";
const counts = { requests: 0, reused: 0 };
/** @type {Set<string>} */
const used = new Set();
const provider = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk) => (body += chunk));
  request.once("end", () => {
    const token = new URLSearchParams(body).get("refresh_token") ?? "";
    counts.requests += 1;
    if (used.has(token) || token !== newest) counts.reused += 1;
    const isReused = used.has(token);
    used.add(token);
    newest = isReused ? newest : randomBytes(24).toString("base64url");
    const answer = {
      access_token: randomBytes(24).toString("base64url"),
      refresh_token: newest,
      token_type: "Bearer",
      expires_in: 3600,
    };
    setTimeout(() => {
      response.writeHead(isReused ? 400 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(isReused ? { error: "invalid_grant" } : answer));
    }, 200);
  });
}).listen(0, bridge);
await once(provider, "listening");
const { port } = /** @type {import("node:net").AddressInfo} */ (provider.address());

const folder = mkdtempSync(join(tmpdir(), "latchkey-hosts-"));
/** @type {import("node:child_process").ChildProcess | undefined} */
let redis;
async function startRedis() {
  const words = ["--bind", bridge, "--dir", folder, "--save", "", "--appendonly", "yes"];
  const always = ["--appendfsync", "always", "--protected-mode", "no", "--port", "6379"];
  redis = spawn("redis-server", [...words, ...always], { stdio: "ignore" });
  while (spawnSync("redis-cli", ["-h", bridge, "ping"]).stdout?.toString().trim() !== "PONG") {
    await pause(20);
  }
}
await startRedis();

const { redisStore } = await import("../dist/stores/redis.js");
const { recordFor } = await import("./cached-sign-in.mjs");
const options = { issuer: `http://${bridge}:${port}`, clientId: "fleet", allowInsecureHttp: true };
const key = randomBytes(32);
const url = `redis://${bridge}:6379`;
const store = redisStore({ url, key, prefix: "hosts" });
const first = recordFor(options, { tokenEndpoint: `${options.issuer}/token`, isExpired: true });
await store.replace(first.key, undefined, { ...first, idToken: undefined, refreshToken: newest });

const machines = [];
for (let number = 0; number < hosts; number += 1) machines.push(await host(number));
const programs = machines.flatMap((machine, at) =>
  Array.from({ length: each }, () => {
    const child = fork(
      join(fileURLToPath(new URL(".", import.meta.url)), "scale/program.mjs"),
      [],
      {
        execPath: "nsenter",
        execArgv: [...machine.inside, process.execPath],
        env: { PATH: process.env["PATH"] ?? "", HOME: mkdtempSync(join(folder, "home-")) },
      },
    );
    child.send({ options, url, key: key.toString("hex") });
    return { at, child };
  }),
);
await Promise.all(programs.map(({ child }) => once(child, "message")));

/** One call of each program. @param {(child: import("node:child_process").ChildProcess) => void} announced */
async function ask(announced = () => {}) {
  return Promise.all(
    programs.map(async ({ child }) => {
      child.send("go");
      for (;;) {
        const [message] = await once(child, "message");
        if (message !== "announced") return message;
        announced(child);
      }
    }),
  );
}

/** What happens in a round besides. */
const scenes = {
  plain: () => ask(),
  "Redis killed": async () => {
    const asked = ask();
    await pause(150);
    redis?.kill("SIGKILL");
    await pause(1500);
    await startRedis();
    return asked;
  },
  "holder stopped": async () => {
    let isChosen = false;
    return ask((child) => {
      if (isChosen) return;
      isChosen = true;
      child.kill("SIGSTOP");
      setTimeout(() => child.kill("SIGCONT"), 33_000);
    });
  },
  partition: async () => {
    for (const { plug } of machines.slice(0, hosts / 2)) plug("down");
    const asked = ask();
    await pause(3000);
    for (const { plug } of machines.slice(0, hosts / 2)) plug("up");
    return asked;
  },
};
const order = ["plain", "plain", "Redis killed", "plain", "partition", "plain", "holder stopped"];

/** @type {Map<string, { rounds: number, requests: number[], failures: Record<string, number>, seconds: number[] }>} */
const told = new Map();
let isBroken = false;
for (let round = 0; round < Number(values.rounds); round += 1) {
  const name = /** @type {keyof typeof scenes} */ (order[round % order.length]);
  const record = await store.read(first.key);
  const ended = { ...record.accessToken, issuedAt: 1, expiresAt: 2 };
  const version = `${record.version}x`.slice(-60);
  await store.replace(first.key, record.version, { ...record, accessToken: ended, version });
  const before = { ...counts };
  const began = Date.now();
  const results = await scenes[name]();
  const seconds = (Date.now() - began) / 1000;
  await pause(500);
  const after = await ask();
  const tokens = new Set(after.map((result) => result.token ?? `${result.code} ${result.reason}`));
  const kept = await store.read(first.key);
  const row = told.get(name) ?? { rounds: 0, requests: [], failures: {}, seconds: [] };
  row.rounds += 1;
  row.seconds.push(seconds);
  row.requests.push(counts.requests - before.requests);
  for (const { code, reason } of results.filter((result) => result.code !== undefined)) {
    const failure = [code, reason].join(" ").trim();
    row.failures[failure] = (row.failures[failure] ?? 0) + 1;
  }
  console.log(round, name, seconds);
  told.set(name, row);
  const isRight =
    tokens.size === 1 && kept.refreshToken === newest && counts.reused === before.reused;
  if (!isRight) {
    isBroken = true;
    console.log(
      `round ${round}, ${name}: ${[...tokens].join(" | ").slice(0, 300)}; kept the newest: ${kept.refreshToken === newest}; sent twice: ${counts.reused}`,
    );
  }
}
for (const [name, { rounds, requests, failures, seconds }] of told) {
  const worst = Math.max(...seconds).toFixed(1);
  console.log(
    `${name}: ${rounds} rounds, requests ${requests.join(" ")}, slowest ${worst} s, failures ${JSON.stringify(failures)}`,
  );
}
console.log(
  `${programs.length} programs on ${hosts} hosts; refresh tokens sent twice: ${counts.reused}`,
);
for (const { child } of programs) child.kill("SIGKILL");
for (const { holder } of machines) holder.kill("SIGKILL");
redis?.kill("SIGKILL");
rmSync(folder, { recursive: true, force: true });
process.exit(isBroken ? 1 : 0);
