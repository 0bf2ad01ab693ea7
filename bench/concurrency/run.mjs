// Changes when the bench is called in another way. Many processes that want the same token at once.
//
//   node bench/concurrency/run.mjs [--processes 1,10,50,200] [--rounds 5] [--sign-in-rounds 3] [--node PATH] [--json FILE] [--write]
//   node bench/concurrency/run.mjs --from FILE [--write]
//
// Build first. --node: run the clients on another Node. --write: put figures and plot into docs/. --from: measure
// nothing, show what an earlier run wrote.
import { fork, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { makeClients } from "./clients.mjs";
import { bundleProvider, installLatchkey, installPeers, versions } from "./installed.mjs";
import { plot } from "./plot.mjs";
import { markdown } from "./report.mjs";
import { expired, memoryWhileWaiting, nothingCached } from "./scenarios.mjs";

const { values } = parseArgs({
  options: {
    processes: { type: "string", default: "1,10,50,200" },
    rounds: { type: "string", default: "5" },
    "sign-in-rounds": { type: "string", default: "3" },
    node: { type: "string", default: process.execPath },
    json: { type: "string" },
    from: { type: "string" },
    write: { type: "boolean", default: false },
  },
});

/** @param {string} text @param {number} least */
function wholeNumber(text, least) {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) {
    throw new Error(`${text} is no whole number from ${least}`);
  }
  return number;
}

const document = fileURLToPath(new URL("../../docs/performance.md", import.meta.url));
const figures = fileURLToPath(new URL("../../docs/figures/", import.meta.url));

/** The provider in its own process. @param {string} module */
async function startProvider(module) {
  const child = fork(fileURLToPath(new URL("./provider.mjs", import.meta.url)), [module], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const failed = once(child, "exit").then(([status]) => {
    throw new Error(`the provider ended with status ${status}`);
  });
  failed.catch(() => {});
  const [provider] = await Promise.race([once(child, "message"), failed]);
  let lastId = 0;
  /** @param {string} method @param {unknown} [parameter] @returns {Promise<any>} */
  const ask = async (method, parameter) => {
    lastId += 1;
    child.send({ id: lastId, method, parameter });
    for (;;) {
      const [{ id, result }] = await Promise.race([once(child, "message"), failed]);
      if (id === lastId) return result;
    }
  };
  return { provider, ask, stop: () => child.disconnect() };
}

/** @param {import("./report.mjs").Report} report */
function keep(report) {
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report)}\n`);
}

/** @returns {Promise<import("./report.mjs").Report>} */
async function measure() {
  const counts = values.processes.split(",").map((text) => wholeNumber(text, 1));
  const rounds = wholeNumber(values.rounds, 1);
  const signInRounds = wholeNumber(values["sign-in-rounds"], 0);
  installPeers();
  const installed = installLatchkey();
  const { provider, ask, stop } = await startProvider(await bundleProvider());
  try {
    const { node } = values;
    const clients = makeClients(node, installed.package, provider);
    const world = { node, latchkey: installed.package, clients, provider, ask };
    const described = {
      measuredOn: new Date().toISOString().slice(0, 10),
      machine: {
        cores: cpus().length,
        processor: cpus()[0]?.model.trim() ?? "unknown",
        memoryGibibytes: Math.round(totalmem() / 2 ** 30),
        system: `${process.platform} ${process.arch}`,
      },
      node: spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim(),
      versions: versions(),
      clients: clients.map(({ name }) => name),
      cannotSignIn: Object.fromEntries(
        clients.flatMap(({ name, cannotSignIn }) =>
          cannotSignIn === undefined ? [] : [[name, cannotSignIn]],
        ),
      ),
    };
    const memory = await memoryWhileWaiting(world, 10);
    const samples = [];
    for (let round = 1; round <= rounds; round += 1) {
      for (const count of counts) {
        process.stderr.write(`round ${round} of ${rounds}: ${count} processes\n`);
        samples.push(...(await expired(world, count, round)));
        if (round <= signInRounds) samples.push(...(await nothingCached(world, count, round)));
      }
      // After each round: a long run that is broken off has not been for nothing.
      keep({ ...described, samples, memory });
    }
    return { ...described, samples, memory };
  } finally {
    stop();
    rmSync(installed.folder, { recursive: true, force: true });
  }
}

const marks = {
  begin: "<!-- bench/concurrency: begin -->",
  end: "<!-- bench/concurrency: end -->",
};

/** @param {string} text */
function writeIntoDocument(text) {
  const before = readFileSync(document, "utf8");
  const begin = before.indexOf(marks.begin);
  const end = before.indexOf(marks.end);
  if (begin === -1 || end < begin) throw new Error("docs/performance.md has lost its marks");
  const head = before.slice(0, begin + marks.begin.length);
  writeFileSync(document, `${head}\n\n${text}\n\n${before.slice(end)}`);
}

const report =
  values.from === undefined ? await measure() : JSON.parse(readFileSync(values.from, "utf8"));
keep(report);
const text = markdown(report);
if (values.write) {
  mkdirSync(figures, { recursive: true });
  writeFileSync(`${figures}concurrency.json`, `${JSON.stringify(report)}\n`);
  writeFileSync(`${figures}concurrency.svg`, plot(report));
  writeIntoDocument(text);
}
console.log(text);
