// Changes when whole commands are compared in another way: in turn, each round against its own `node -e 0`.
import { spawnSync } from "node:child_process";
import { cpus, totalmem } from "node:os";

const disturbing = ["NODE_EXTRA_CA_CERTS", "NODE_OPTIONS", "NODE_COMPILE_CACHE"];

/** Says on what was measured. @param {number} rounds */
export function tellMachine(rounds) {
  console.log(
    `${rounds} rounds, ${process.platform} ${process.arch}, ${cpus().length} × ${cpus()[0]?.model}`,
  );
  console.log(
    `${Math.round(totalmem() / 2 ** 30)} GiB; not passed on: ${disturbing.map((name) => `${name}=${process.env[name] ?? "unset"}`).join(", ")}`,
  );
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

/**
 * Every round starts all commands once, in random order, and each round gives its own ratio to that round's first command:
 * drift between blocks of one command is larger than what is measured here. Prints medians.
 * @template {{ name: string }} Command
 * @param {string} node @param {Command[]} commands the first is what the others are compared with
 * @param {{ rounds: number, time: (node: string, command: Command) => number | Promise<number> }} how `time`: milliseconds
 */
export async function measureInTurns(node, commands, { rounds, time }) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  /** @type {Map<string, { times: number[], ratios: number[] }>} */
  const results = new Map(commands.map(({ name }) => [name, { times: [], ratios: [] }]));
  for (const command of commands) await time(node, command);
  for (let round = 0; round < rounds; round += 1) {
    /** @type {Map<string, number>} */
    const times = new Map();
    for (const command of shuffled(commands)) times.set(command.name, await time(node, command));
    const floor = times.get(commands[0]?.name ?? "") ?? Number.NaN;
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
