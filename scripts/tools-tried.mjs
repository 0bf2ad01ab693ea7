// Prints the table of the tools, libraries and drivers that the tests run with one sign-in, each the real one. Changes
// when it is to show something else of them.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCommand } from "./debian-packages.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Programs: how each tells its version, and the test that runs it. */
const programs = {
  git: { words: ["git", "--version"], test: "test/long/tools.test.ts" },
  curl: { words: ["curl", "--version"], test: "test/long/tools.test.ts" },
  skopeo: { words: ["skopeo", "--version"], test: "test/long/tools-registries.test.ts" },
  cargo: { words: ["cargo", "--version"], test: "test/long/tools-registries.test.ts" },
  kubectl: { words: ["kubectl", "version", "--client"], test: "test/long/tools-kubectl.test.ts" },
  terraform: { words: ["terraform", "version"], test: "test/long/tools-setup.test.ts" },
  prometheus: { words: ["prometheus", "--version"], test: "test/long/tools-files.test.ts" },
};

const httpClients = "src/adapters/http-clients.wire.test.ts";
const clouds = "test/long/tools-clouds.test.ts";
const packages = "test/long/tools-packages.test.ts";

/** Libraries: the test of each, which names it. */
const libraries = {
  axios: httpClients,
  got: httpClients,
  ky: httpClients,
  undici: httpClients,
  "@azure/core-rest-pipeline": "src/adapters/azure.wire.test.ts",
  "@connectrpc/connect": "src/adapters/connect.wire.test.ts",
  "@grpc/grpc-js": "src/grpc/connect.wire.test.ts",
  "@nats-io/transport-node": "test/long/nats.test.ts",
  kafkajs: "test/interop/kafka.test.ts",
  mongodb: "src/adapters/mongodb.wire.test.ts",
  redis: "src/adapters/redis.wire.test.ts",
  "google-auth-library": clouds,
  "@aws-sdk/credential-providers": clouds,
  "@modelcontextprotocol/client": "test/support/mcp-conformance.ts",
  pip: packages,
  uv: packages,
  pnpm: packages,
  psql: "test/interop/postgres.test.ts",
  pg: "test/interop/postgres.test.ts",
  xgt: "test/interop/xgt.test.ts",
};

/** @param {readonly string[]} words */
function versionOfProgram([command = "", ...parameters]) {
  if (findCommand(command) === undefined) return "not installed";
  const { stdout, stderr } = spawnSync(command, parameters, { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? "unknown";
}

/** What this checkout has installed; some tests install their own. @param {string} name */
function versionOfLibrary(name) {
  const path = join(root, "node_modules", name, "package.json");
  if (!existsSync(path)) return "as the test says";
  return String(JSON.parse(readFileSync(path, "utf8")).version);
}

/** @param {string} name @param {string} version @param {string} test */
function row(name, version, test) {
  if (!readFileSync(join(root, test), "utf8").includes(name)) {
    throw new Error(`${test} does not name ${name}`);
  }
  return `| ${name} | ${version} | ${test} |`;
}

const rows = [
  ...Object.entries(programs).map(([name, { words, test }]) =>
    row(name, versionOfProgram(words), test),
  ),
  ...Object.entries(libraries).map(([name, test]) => row(name, versionOfLibrary(name), test)),
];
process.stdout.write(
  [
    "| tool or library | version here | test |",
    "|---|---|---|",
    ...rows,
    "",
    `${String(rows.length)} that take tokens of one sign-in`,
    "",
  ].join("\n"),
);
