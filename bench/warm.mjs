// Changes when another way to get a cached token is worth comparing. Measures `latchkey token` on a cache hit.
//
//   node bench/warm.mjs [--rounds N] [NODE …]
//
// NODE: further Node executables; each is compared with itself only. Build first. Every round starts all commands once,
// in random order, and each round gives its own ratio to that round's `node -e 0`: drift between blocks of one command
// is larger than what is measured here.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFileFor, recordFor } from "./cached-sign-in.mjs";
import { measureInTurns, tellMachine } from "./turns.mjs";

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

const configuration = { issuer: "https://id.example.com", clientId: "bench-cli" };
const flags = ["--issuer=https://id.example.com", "--client-id=bench-cli"];

/** A home folder with `count` configurations cached. @param {number} count */
function createHome(count) {
  const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const cache = join(home, ".local", "state", "latchkey");
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  for (let index = 0; index < count; index += 1) {
    const options = index === 0 ? configuration : { ...configuration, clientId: `other-${index}` };
    const { name, text } = cacheFileFor(recordFor(options));
    writeFileSync(join(cache, name), text, { mode: 0o600 });
  }
  const file = join(home, ".config", "latchkey", "config.toml");
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeFileSync(
    file,
    ["bench", "default"]
      .map(
        (name) =>
          `[profile.${name}]\nissuer = "${configuration.issuer}"\nclient-id = "${configuration.clientId}"\n`,
      )
      .join("\n"),
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
  { name: "  [profile.default]", args: [bin, "token"], home: one, prints: 1025 },
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

tellMachine(rounds);
try {
  for (const node of nodes) await measureInTurns(node, commands, { rounds, time });
} finally {
  for (const home of [one, many]) rmSync(home, { recursive: true, force: true });
}
