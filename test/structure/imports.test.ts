// The house's import rules, held against the real import graph.

import { expect, test } from "vitest";
import {
  importsOf,
  isProduct,
  publicEntries,
  readSource,
  sourceFiles,
  type ImportEdge,
} from "./sources.ts";

/** A part: the first folder, but for the public entries and the composition root, which are files. */
function partOf(path: string): string {
  if (compositionRoot.has(path)) return "composition";
  const folder = path.split("/")[0] ?? path;
  // An adapter is a few lines, and an entry of its own.
  return publicEntries().includes(path) && folder !== "adapters" ? "entry" : folder;
}

// The only files that know every part: they build the real world.
const compositionRoot = new Set([
  "credential/compose.ts",
  "credential/compose-trust.ts",
  "credential/ask-resource.ts",
  "credential/ask-server.ts",
  "credential/assembled-flows.ts",
  "credential/default-prompt.ts",
  "credential/open-file-store.ts",
  "credential/open-plain-store.ts",
  "credential/open-sealed-store.ts",
  "credential/redis-answers.ts",
  "credential/redis-options.ts",
  "credential/redis-store.ts",
  "credential/resource-sign-ins.ts",
  "credential/sealed-file-stores.ts",
  "credential/sign-in-source.ts",
]);

// The vocabulary: types of a part that others speak without depending on its code.
const vocabulary = new Set([
  "fetch/resource-sign-in.ts",
  "http/exchange.ts",
  "lock/types.ts",
  "options/types.ts",
  "record/format.ts",
  "resource-server/shared-answers.ts",
  "server/server-config.ts",
  "session/session-types.ts",
  "store/token-store.ts",
]);

/** Parts or single files that a part may import statically; every part may use core and itself. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  options: [],
  files: [],
  record: ["options", "files/secure-read.ts"],
  lock: ["files"],
  store: ["record", "lock", "files"],
  http: ["files"],
  keys: [],
  server: ["http"],
  messages: [],
  grpc: ["messages", "options", "server/checked-config.ts"],
  xgt: ["grpc", "messages"],
  fetch: [],
  adapters: ["fetch"],
  proxy: ["files", "http", "fetch"],
  provider: ["keys", "http", "files"],
  "resource-server": ["keys", "options/own-options.ts", "messages"],
  trust: ["files", "store/file-lock.ts"],
  interaction: [],
  helpers: ["files", "record/key.ts"],
  setup: ["options", "files", "helpers/place.ts"],
  flow: ["provider", "interaction"],
  session: ["record", "store"],
  credential: ["session", "options", "record/key.ts", "files"],
  composition: [
    "options",
    "files",
    "record",
    "lock",
    "store",
    "http",
    "keys",
    "server",
    "grpc",
    "trust",
    "provider",
    "interaction",
    "flow",
    "session",
    "credential",
  ],
  testing: ["options", "record/key.ts", "credential/stores.ts"],
  doctor: [
    "options",
    "files",
    "lock",
    "store",
    "http",
    "provider",
    "interaction",
    "helpers/place.ts",
    "setup",
    "flow",
  ],
  cli: [
    "options",
    "files",
    "record",
    "lock",
    "store",
    "http",
    "keys",
    "trust",
    "provider",
    "interaction",
    "helpers",
    "flow",
    "session",
    "credential",
    "composition",
    "fetch",
    "proxy",
    "setup",
    "doctor",
  ],
  entry: [
    "credential",
    "credential/redis-answers.ts",
    "credential/redis-store.ts",
    "credential/sealed-file-stores.ts",
    "grpc",
    "messages",
    "resource-server",
    "testing",
    "xgt",
    "store/token-store.ts",
    "record/format.ts",
    "session/session-types.ts",
  ],
};

/** What may be reached by a dynamic import alone, so that the warm path and a waiter stay free of it. */
const mayLoadLater: Readonly<Record<string, readonly string[]>> = {
  session: ["flow"],
  grpc: ["http"],
  "resource-server": ["http", "provider"],
  credential: ["composition", "fetch", "store/memory-store.ts"],
};

/** Who may import a package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  "smol-toml": ["cli", "doctor", "setup"],
  uqr: ["cli"],
  "@grpc": ["grpc", "xgt"],
  axios: ["adapters"],
  undici: ["adapters"],
};

function allows(list: readonly string[] | undefined, to: string): boolean {
  return list !== undefined && (list.includes(partOf(to)) || list.includes(to));
}

function isAllowed(edge: ImportEdge): boolean {
  const from = partOf(edge.from);
  if (edge.external) {
    const [name = ""] = edge.to.split("/");
    return edge.to.startsWith("node:") || (packages[name]?.includes(from) ?? false);
  }
  const to = partOf(edge.to);
  if (to === from || to === "core") return true;
  if (from === "record" && edge.to === "options/text.ts") return false;
  if (allows(mayImport[from], edge.to)) return true;
  if (edge.kind === "type" && (vocabulary.has(edge.to) || allows(mayLoadLater[from], edge.to))) {
    return true;
  }
  return edge.kind === "dynamic" && allows(mayLoadLater[from], edge.to);
}

const product = sourceFiles().filter(isProduct);

test("every import follows the rules of the house", () => {
  const forbidden = product
    .flatMap((path) => importsOf(path))
    .filter((edge) => !isAllowed(edge))
    .map((edge) => `${edge.from} → ${edge.to} (${edge.kind})`);
  expect(forbidden).toEqual([]);
});

interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** The ways along arrows that come back to where they began. */
function cyclesOf(arrows: readonly Arrow[]): string[] {
  const graph = new Map<string, Set<string>>();
  for (const { from, to } of arrows) graph.set(from, (graph.get(from) ?? new Set()).add(to));
  const cycles: string[] = [];
  const done = new Set<string>();
  const visit = (place: string, trail: readonly string[]): void => {
    if (trail.includes(place)) {
      cycles.push([...trail.slice(trail.indexOf(place)), place].join(" → "));
      return;
    }
    if (done.has(place)) return;
    done.add(place);
    for (const next of graph.get(place) ?? []) visit(next, [...trail, place]);
  };
  for (const place of graph.keys()) visit(place, []);
  return cycles;
}

const arrows: readonly Arrow[] = product
  .flatMap((path) => importsOf(path))
  .filter((edge) => !edge.external);

test("no file is reached from itself, by imports of any kind", () => {
  expect(cyclesOf(arrows)).toEqual([]);
});

test("no folder is reached from itself, by imports of any kind", () => {
  const folderOf = (path: string): string => path.split("/")[0] ?? path;
  const between = arrows
    .map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to) }))
    .filter(({ from, to }) => from !== to);
  expect(cyclesOf(between)).toEqual([]);
});

test("nothing imports node:http statically, which loads the built-in fetch on Node 22 and later", () => {
  const found = product
    .flatMap((path) => importsOf(path))
    .filter((edge) => edge.kind === "static" && /^(node:)?https?$/.test(edge.to));
  expect(found).toEqual([]);
});

test("the public entry reaches no protocol, network or browser code by static imports", () => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const edge of importsOf(path)) {
      if (!edge.external && edge.kind === "static") visit(edge.to);
    }
  };
  visit("index.ts");
  const parts = new Set([...reached].map((path) => path.split("/")[0]));
  expect(
    [...parts].filter((part) =>
      ["http", "provider", "flow", "interaction", "store", "lock"].includes(part ?? ""),
    ),
  ).toEqual([]);
});

test("provider names stand in quirks and error words alone", () => {
  const names =
    /\b(google|keycloak|okta|auth0|entra|azure|microsoft|cognito|openshift|gitlab|github|dex|glewlwyd|better-auth)\b/i;
  const found = product
    .filter((path) => !/^provider\/(quirks|error-words)/.test(path))
    .filter((path) => names.test(readSource(path).replace(/https:\S+/g, "")));
  // WSL says "microsoft" in /proc/version: an operating system, not a provider. And one of the modes of a resource server
  // is named after a provider, so its option says which one. An adapter is named after the clients that it is for, and a
  // cloud's libraries are set up as it calls them.
  const others = [
    "adapters/azure.ts",
    "interaction/browser.ts",
    "resource-server/resource-server-types.ts",
    "setup/gcp.ts",
    "setup/places.ts",
  ];
  expect(found.filter((path) => !others.includes(path))).toEqual([]);
});

test("every file says its one reason to change first, and is short", () => {
  const faults = product.flatMap((path) => {
    const lines = readSource(path)
      .replace(/^#!.*\n/, "")
      .split("\n");
    return [
      ...(/^\/\/ \S/.test(lines[0] ?? "") ? [] : [`${path}: no first line`]),
      ...(lines.length > 401 ? [`${path}: ${String(lines.length)} lines`] : []),
    ];
  });
  expect(faults).toEqual([]);
});
