// Changes when another way to get a cached token is worth comparing. Measures `latchkey token` on a cache hit.
//
//   node bench/warm.mjs [--rounds N] [NODE …]
//
// NODE: further Node executables; each is compared with itself only. Build first. Every round starts all commands once,
// in random order, and each round gives its own ratio to that round's `node -e 0`: drift between blocks of one command
// is larger than what is measured here.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadSource } from "../scripts/load-source.mjs";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "60" }, bin: { type: "string" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const isEnough = Number.isInteger(rounds) && rounds >= 5;
if (!isEnough) throw new Error("--rounds takes a whole number from 5");
const nodes = [process.execPath, ...positionals];
const built = fileURLToPath(new URL("../dist/", import.meta.url));
const bin = values.bin ?? join(built, "cli", "latchkey.cjs");

const { resolveOptions } = await loadSource("src/options/resolve.ts");
const { recordKey, cacheFileName } = await loadSource("src/record/key.ts");
const { formatCacheFile } = await loadSource("src/record/parse.ts");

const configuration = { issuer: "https://id.example.com", clientId: "bench-cli" };
const flags = ["--issuer=https://id.example.com", "--client-id=bench-cli"];

/** A token as long as a usual one. @param {number} length */
const letters = (length) => "abcdefghijklmnopqrstuvwxyz012345".repeat(length / 32);

/** @param {Record<string, unknown>} options */
function recordFor(options) {
  const now = Math.floor(Date.now() / 1000);
  return {
    key: recordKey({ kind: "interactive", options: { ...resolveOptions(options, "interactive") } }),
    version: "0123456789abcdef01234567.1",
    issuer: options.issuer,
    clientId: options.clientId,
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: {
      token: letters(1024),
      tokenType: "Bearer",
      scopes: ["openid", "email"],
      issuedAt: now,
      expiresAt: now + 24 * 3600,
    },
    refreshToken: letters(256),
    idToken: letters(1024),
    subject: "248289761001",
    signedInAt: now * 1000,
    renewedAt: now * 1000,
  };
}

/** A home folder with `count` configurations cached. @param {number} count */
function createHome(count) {
  const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const cache = join(home, ".local", "state", "latchkey");
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  for (let index = 0; index < count; index += 1) {
    const options = index === 0 ? configuration : { ...configuration, clientId: `other-${index}` };
    const record = recordFor(options);
    writeFileSync(join(cache, cacheFileName(record.key)), formatCacheFile([record]), {
      mode: 0o600,
    });
  }
  const file = join(home, ".config", "latchkey", "config.toml");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(
    file,
    `[profile.bench]\nissuer = "${configuration.issuer}"\nclient-id = "${configuration.clientId}"\n`,
    { mode: 0o600 },
  );
  return home;
}

const one = createHome(1);
const many = createHome(10_000);
const commands = [
  { name: "node -e 0", args: ["-e", "0"], home: one, prints: 0 },
  { name: "latchkey token", args: [bin, "token", ...flags], home: one, prints: 1025 },
  { name: "  --json", args: [bin, "token", "--json", ...flags], home: one, prints: 2048 },
  { name: "  --header", args: [bin, "token", "--header", ...flags], home: one, prints: 1025 },
  { name: "  --profile", args: [bin, "token", "--profile=bench"], home: one, prints: 1025 },
  { name: "  of 10,000 cached", args: [bin, "token", ...flags], home: many, prints: 1025 },
];

/** Milliseconds from spawn to reaped. @param {string} node @param {typeof commands[number]} command */
function time(node, command) {
  const start = performance.now();
  const { status, stdout, stderr } = spawnSync(node, command.args, {
    env: { PATH: process.env["PATH"] ?? "", HOME: command.home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const milliseconds = performance.now() - start;
  if (status !== 0 || stdout.length < command.prints || stderr.length > 0) {
    throw new Error(`${node}, ${command.name}: status ${status}\n${String(stderr)}`);
  }
  return milliseconds;
}

/** @param {number[]} numbers @param {number} share */
function quantile(numbers, share) {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** @template Item @param {Item[]} items */
function shuffled(items) {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** @param {string} node */
function measure(node) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  /** @type {Map<string, { times: number[], ratios: number[] }>} */
  const results = new Map(commands.map(({ name }) => [name, { times: [], ratios: [] }]));
  for (const command of commands) time(node, command);
  for (let round = 0; round < rounds; round += 1) {
    const times = new Map(shuffled(commands).map((command) => [command.name, time(node, command)]));
    const floor = times.get("node -e 0") ?? Number.NaN;
    for (const [name, milliseconds] of times) {
      results.get(name)?.times.push(milliseconds);
      results.get(name)?.ratios.push(milliseconds / floor);
    }
  }
  console.log(`\n${version}  (${node})`);
  for (const [name, { times, ratios }] of results) {
    const range = `${quantile(ratios, 0.1).toFixed(3)}–${quantile(ratios, 0.9).toFixed(3)}`;
    console.log(
      `  ${name.padEnd(20)} ${quantile(times, 0.5).toFixed(1).padStart(6)} ms   × ${quantile(ratios, 0.5).toFixed(3)}   p10–p90 ${range}`,
    );
  }
}

const disturbing = ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_COMPILE_CACHE"];
console.log(
  `${rounds} rounds, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`,
);
console.log(
  `${Math.round(totalmem() / 2 ** 30)} GiB; not passed on: ${disturbing.map((name) => `${name}=${process.env[name] ?? "unset"}`).join(", ")}`,
);
try {
  for (const node of nodes) measure(node);
} finally {
  for (const home of [one, many]) rmSync(home, { recursive: true, force: true });
}
