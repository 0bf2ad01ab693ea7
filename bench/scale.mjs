// Changes when another question is asked of many clients. A fleet on a real Redis; what is real in it and what is not, and
// what came of it, is told in docs/scale.md.
//
//   node bench/scale.mjs [--clients N] [--write [--only K,K] | --draw]
//
// Build first; needs redis-server and redis-cli. It takes ten to fifteen minutes on two cores. With --write the figures, the
// table and the plot go into docs; with --only those scenes, counted from 0, are measured anew, and the others stay. --draw
// makes table and plot anew from the figures that are there.
import { fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { plot, tables } from "./scale/report.mjs";
import { look, startProvider, startRedis } from "./scale/servers.mjs";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "10000" },
    write: { type: "boolean", default: false },
    only: { type: "string" },
    draw: { type: "boolean", default: false },
  },
});
const most = Number(values.clients);
const isEnough = Number.isInteger(most / 100) && most >= 100;
if (!isEnough) throw new Error("--clients takes a number of hundreds");
const lifetimeSeconds = 300;
const latencyMilliseconds = 50;
const at = (/** @type {string} */ path) =>
  fileURLToPath(new URL(`../docs/${path}`, import.meta.url));

const figures = at("figures/scale.json");

/** @typedef {{ clients: number, signIns: number, servers: number, isCold: boolean, seconds: number, everySeconds: number }} Scene */

/** @param {number} clients @param {number} signIns @param {number} servers @param {boolean} isCold @returns {Scene} */
const scene = (clients, signIns, servers, isCold) => ({
  clients,
  signIns,
  servers,
  isCold,
  // The time after which a token is renewed, and a bit.
  seconds: 230,
  everySeconds: 115,
});

/** @type {Scene[]} */
const scenes = [
  scene(most, 1, 1, false),
  scene(most, 100, 1, false),
  scene(most, most, 1, false),
  scene(most, most, 3, false),
  scene(100, 1, 1, true),
  scene(most / 10, 1, 1, true),
  scene(most, 1, 1, true),
  scene(most / 10, most / 10, 1, true),
  // More renewals at once than one process does within a lease: they take turns.
  scene(most, most, 1, true),
  scene(most, most, 3, true),
];

/** @param {import("node:child_process").ChildProcess} child */
async function messageOf(child) {
  const ends = new AbortController();
  const { signal } = ends;
  const ended = once(child, "exit", { signal }).then(() => {
    throw new Error("the clients ended before they had said what came of it");
  });
  ended.catch(() => undefined);
  const [message] = await Promise.race([once(child, "message", { signal }), ended]);
  ends.abort();
  return message;
}

/** @param {Scene} played */
async function play(played) {
  const redis = await startRedis(played.servers);
  const provider = await startProvider(latencyMilliseconds, lifetimeSeconds);
  const program = fileURLToPath(new URL("scale/clients.mjs", import.meta.url));
  const given = { scene: played, issuer: provider.issuer, urls: redis.urls };
  const child = fork(program, [JSON.stringify(given)]);
  try {
    await messageOf(child);
    const before = redis.ports.map(look);
    await provider.counts();
    child.send("go");
    const clients = await messageOf(child);
    const after = redis.ports.map(look);
    const counts = await provider.counts();
    child.send("end");
    await once(child, "exit");
    return { scene: played, before, after, provider: counts, clients };
  } finally {
    child.kill("SIGKILL");
    provider.close();
    await redis.close();
  }
}

async function measured() {
  const wanted = values.only?.split(",").map(Number);
  const results =
    wanted === undefined ? [] : [...JSON.parse(readFileSync(figures, "utf8")).results];
  for (const [place, each] of scenes.entries()) {
    if (wanted !== undefined && !wanted.includes(place)) continue;
    const begun = Date.now();
    const result = await play(each);
    results[place] = result;
    const seconds = Math.round((Date.now() - begun) / 1000);
    console.error(`${JSON.stringify(each)}: ${seconds} s`);
  }
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? "?"}), Node ${process.version}`;
  const measuredOn = new Date().toISOString().slice(0, 10);
  return { measuredOn, machine, lifetimeSeconds, latencyMilliseconds, results };
}

const report = values.draw ? JSON.parse(readFileSync(figures, "utf8")) : await measured();
const text = tables(report);
console.log(text);
if (values.write || values.draw) {
  if (values.write) writeFileSync(figures, `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(at("figures/scale.svg"), plot(report));
  const [begin, end] = ["<!-- bench/scale: begin -->", "<!-- bench/scale: end -->"];
  const page = readFileSync(at("scale.md"), "utf8");
  const [head = "", rest = ""] = page.split(begin);
  const tail = rest.split(end)[1] ?? "";
  writeFileSync(at("scale.md"), `${head}${begin}\n\n${text}\n\n${end}${tail}`);
}
