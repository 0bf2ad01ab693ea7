// What `import "latchkey"` costs over an empty module: milliseconds and resident memory, in fresh processes that take
// turns. `npm run build && node bench/import.mjs [ROUNDS] [NODE …]`; NODE is the path of another Node.js.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [rounds = "31", ...nodes] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
const empty = join(folder, "empty.mjs");
writeFileSync(empty, "export {};\n");
const modules = {
  empty: pathToFileURL(empty).href,
  latchkey: pathToFileURL(fileURLToPath(new URL("../dist/index.js", import.meta.url))).href,
};

function measure(node, url) {
  const program = `
    const before = process.memoryUsage.rss();
    const start = performance.now();
    await import(${JSON.stringify(url)});
    console.log(JSON.stringify({ ms: performance.now() - start, mib: (process.memoryUsage.rss() - before) / 2 ** 20 }));`;
  const { NODE_OPTIONS: _options, NODE_EXTRA_CA_CERTS: _roots, ...environment } = process.env;
  const run = spawnSync(node, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    env: environment,
  });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

for (const node of [process.execPath, ...nodes]) {
  const version = spawnSync(node, ["--version"], { encoding: "utf8" }).stdout.trim();
  const found = { empty: [], latchkey: [] };
  measure(node, modules.latchkey);
  for (let round = 0; round < Number(rounds); round += 1) {
    const order = Math.random() < 0.5 ? ["empty", "latchkey"] : ["latchkey", "empty"];
    for (const name of order) found[name].push(measure(node, modules[name]));
  }
  const over = (member) =>
    median(found.latchkey.map((each, index) => each[member] - found.empty[index][member])).toFixed(
      1,
    );
  console.log(
    `${version}: import "latchkey" takes ${over("ms")} ms and ${over("mib")} MiB more than an empty module (median of ${rounds} pairs)`,
  );
}
