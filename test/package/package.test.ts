// The package as its users get it: packed, installed into an empty folder, imported, compiled against, run. Changes when
// what is published does.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consumerSource } from "../support/consumer.ts";
import { maxBytes, maxDependencies } from "./budgets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly mode: number;
  }[];
}

let folder: string;
let packed: Packed;
/** Where the package lies after `npm install`, and by itself, without any dependency. */
let installed: string;
let alone: string;

function run(command: string, parameters: readonly string[], workingDirectory: string): string {
  return execFileSync(command, parameters, {
    cwd: workingDirectory,
    encoding: "utf8",
    env: { ...process.env, NODE_EXTRA_CA_CERTS: process.env["NODE_EXTRA_CA_CERTS"] ?? "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

function isPacked(value: unknown): value is Packed {
  return typeof value === "object" && value !== null && "filename" in value && "files" in value;
}

function pack(): Packed {
  const isBuilt = existsSync(join(root, "dist", "cli", "latchkey.cjs"));
  if (!isBuilt) throw new Error("nothing is built: npm run build");
  const answer: unknown = JSON.parse(
    run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root),
  );
  const found = Object.values(answer as object).find(isPacked);
  if (found === undefined) throw new Error("npm pack said nothing");
  return found;
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value));
}

/** The files that package.json's `exports` name. */
function exportedFiles(): readonly string[] {
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  return Object.values(manifest.exports)
    .flatMap((entry) => (typeof entry === "string" ? [entry] : Object.values(entry)))
    .map((path) => path.replace(/^\.\//, ""));
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-package-"));
  packed = pack();
  const tarball = join(folder, packed.filename);
  installed = join(folder, "installed");
  mkdirSync(installed);
  writeJson(join(installed, "package.json"), { name: "consumer", private: true, type: "module" });
  run(
    "npm",
    [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--loglevel=error",
      // Else it asks the registry about peers, though nobody wants them: minutes where there is no network.
      "--legacy-peer-deps",
      tarball,
    ],
    installed,
  );
  alone = join(folder, "alone");
  mkdirSync(join(alone, "node_modules"), { recursive: true });
  writeJson(join(alone, "package.json"), { name: "consumer", private: true, type: "module" });
  cpSync(join(installed, "node_modules", "latchkey"), join(alone, "node_modules", "latchkey"), {
    recursive: true,
  });
}, 180_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function contents(): { path: string; text: string }[] {
  return packed.files.map(({ path }) => ({
    path,
    text: readFileSync(join(installed, "node_modules", "latchkey", path), "utf8"),
  }));
}

test("holds the files that it is meant to hold, and no other [P02]", () => {
  const allowed = [
    /^package\.json$/,
    /^README\.md$/,
    /^LICENSE$/,
    /^CHANGELOG\.md$/,
    /^docs\/(decisions\/|lock\/|figures\/)?[\w-]+\.(md|svg|json|pml)$/,
    /^proto\/(latchkey\/v1|xgtproto)\/\w+\.proto$/,
    /^dist\/THIRD_PARTY_LICENSES$/,
    /^dist\/cli\/(complete|keyring|latchkey|main|[a-z]+-(credentials?-)?latchkey)\.cjs$/,
    /^dist\/chunks\/[\w-]+\.cjs$/,
    // What a public entry leads to; the command line has no declarations.
    /^dist\/(?!cli\/)[a-z-]+(\/[\w-]+)*\.d\.ts$/,
  ];
  const exported = exportedFiles();
  // The code of a further entry stands beside its names.
  const code = exported.map((path) => path.replace(/\.js$/, ".cjs"));
  const others = packed.files
    .map(({ path }) => path)
    .filter((path) => !exported.includes(path) && !code.includes(path))
    .filter((path) => !allowed.some((pattern) => pattern.test(path)));
  expect(others).toEqual([]);
  const paths = packed.files.map(({ path }) => path);
  for (const needed of [
    "package.json",
    "LICENSE",
    "README.md",
    ...exported,
    "dist/cli/complete.cjs",
    "dist/cli/latchkey.cjs",
    "dist/cli/main.cjs",
    "dist/THIRD_PARTY_LICENSES",
  ]) {
    expect(paths).toContain(needed);
  }
});

test("every page that is packed links to what is packed [F-U15]", () => {
  const paths = new Set(packed.files.map(({ path }) => path));
  const pages = contents().filter(({ path }) => path.endsWith(".md"));
  expect(pages.length).toBeGreaterThan(8);
  const broken = pages.flatMap(({ path, text }) =>
    [...text.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)]
      .map(([, link = ""]) => join(dirname(path), link))
      .filter((link) => !paths.has(link))
      .map((link) => `${path}: ${link}`),
  );
  expect(broken).toEqual([]);
});

test("holds no test, source map, key, token or path of the machine that built it [P02]", () => {
  const suspicious =
    /sourceMappingURL|-----BEGIN [A-Z ]*PRIVATE KEY|eyJ[\w-]{20,}\.[\w-]{20,}|\/work\/|\/root\/|\/tmp\/|file:\/\/\//;
  const found = contents().flatMap(({ path, text }) => {
    const match = suspicious.exec(text);
    // A page may speak of tests, code has no business with them.
    const isPage = path.endsWith(".md");
    if (match === null && (isPage || !text.includes(".test."))) return [];
    return [`${path}: ${match?.[0] ?? ".test."}`];
  });
  expect(found).toEqual([]);
});

test("what is bundled from another package has its licence in the package", () => {
  const licences = readFileSync(
    join(installed, "node_modules/latchkey/dist/THIRD_PARTY_LICENSES"),
    "utf8",
  );
  expect(licences).toContain("smol-toml");
  expect(licences).toContain("Redistribution and use in source and binary forms");
});

test("has no script that runs at installation [P01]", () => {
  const { scripts = {} } = JSON.parse(
    readFileSync(join(installed, "node_modules", "latchkey", "package.json"), "utf8"),
  ) as { scripts?: Record<string, string> };
  const atInstallation = [
    "preinstall",
    "install",
    "postinstall",
    "prepare",
    "prepublish",
    "preprepare",
    "postprepare",
  ];
  expect(Object.keys(scripts).filter((name) => atInstallation.includes(name))).toEqual([]);
  expect(packed.files.map(({ path }) => path)).not.toContain("binding.gyp");
});

test("brings no package with it, and has no install script [P01]", () => {
  const { packages } = JSON.parse(readFileSync(join(installed, "package-lock.json"), "utf8")) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const names = Object.keys(packages).filter((name) => name !== "");
  expect(names).toEqual(["node_modules/latchkey"]);
  expect(names.filter((name) => packages[name]?.hasInstallScript)).toEqual([]);
  const {
    dependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    dependencies?: Readonly<Record<string, string>>;
    peerDependencies?: Readonly<Record<string, string>>;
    peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>;
  };
  expect(Object.keys(dependencies).length).toBeLessThanOrEqual(maxDependencies);
  // npm would install any other one.
  expect(
    Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true),
  ).toEqual([]);
});

function sizeOf(path: string): number {
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + readFileSync(join(entry.parentPath, entry.name)).length, 0);
}

// What people load has limits of its own; no text is shortened for the tarball's.
test("the tarball stays within its budget", () => {
  expect(packed.size).toBeLessThanOrEqual(maxBytes.packed);
});

// Only notices what came in by mistake: budgets go by what a user loads, and pages of documentation are loaded by nobody.
test("installed, with everything that it brings, it stays within its budget", () => {
  expect(sizeOf(join(installed, "node_modules"))).toBeLessThanOrEqual(maxBytes.installed);
});

test("every export resolves, and nothing else does", () => {
  const script = `
    const names = Object.keys(await import("latchkey")).toSorted();
    const about = await import("latchkey/package.json", { with: { type: "json" } });
    const inside = await import("latchkey/dist/index.js").then(() => "open", (error) => error.code);
    console.log(JSON.stringify({ names, name: about.default.name, inside }));`;
  const said = JSON.parse(
    run(process.execPath, ["--input-type=module", "--no-warnings", "-e", script], installed),
  ) as {
    names: string[];
    name: string;
    inside: string;
  };
  expect(said).toMatchObject({ name: "latchkey", inside: "ERR_PACKAGE_PATH_NOT_EXPORTED" });
  expect(said.names).toEqual(
    expect.arrayContaining(["BearerTokenAuth", "OidcAuth", "OidcCredentialsAuth", "OidcError"]),
  );
});

test("importing it loads no other package and no heavy part of Node", () => {
  writeFileSync(
    join(alone, "probe.js"),
    `const before = new Set(process.moduleLoadList);
    const { OidcAuth } = await import("latchkey");
    new OidcAuth({ issuer: "https://id.example.com", clientId: "x" });
    const loaded = process.moduleLoadList.filter((name) => !before.has(name));
    console.log(JSON.stringify(loaded));`,
  );
  // Beside nothing but itself: a static import of a dependency would fail here.
  const loaded = JSON.parse(run(process.execPath, ["probe.js"], alone)) as string[];
  const heavy =
    /\b(crypto|tls|https?|http2|net|undici|child_process|worker_threads|dns|readline|zlib|stream\/web|webstreams)\b/;
  expect(loaded.filter((name) => heavy.test(name))).toEqual([]);
});

test("its types compile for a consumer that checks libraries too", () => {
  // Without the entries that want a peer; all of them are compiled in the long lane.
  const source = consumerSource(["latchkey", "latchkey/testing"]);
  writeFileSync(join(installed, "consumer.ts"), source);
  mkdirSync(join(installed, "node_modules", "@types"), { recursive: true });
  symlinkSync(join(root, "node_modules/@types/node"), join(installed, "node_modules/@types/node"));
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  for (const resolution of ["nodenext", "bundler"]) {
    writeJson(join(installed, "tsconfig.json"), {
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        target: "ES2023",
        module: resolution === "bundler" ? "esnext" : "nodenext",
        moduleResolution: resolution,
        types: ["node"],
      },
      files: ["consumer.ts"],
    });
    const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", "."], {
      cwd: installed,
      encoding: "utf8",
    });
    expect([resolution, status, stdout]).toEqual([resolution, 0, ""]);
  }
});

test("its command runs as npm links it", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  const { status, stdout, stderr } = spawnSync(
    join(installed, "node_modules", ".bin", "latchkey"),
    ["--version"],
    {
      env: { PATH: process.env["PATH"], HOME: home },
      encoding: "utf8",
    },
  );
  expect([status, stdout, stderr]).toEqual([0, `latchkey ${version}\n`, ""]);
  const token = spawnSync(
    join(installed, "node_modules", ".bin", "latchkey"),
    ["token", "--issuer=https://id.example.com", "--client-id=x", "--no-interactive"],
    { env: { PATH: process.env["PATH"], HOME: home }, encoding: "utf8" },
  );
  expect([token.status, token.stdout]).toEqual([3, ""]);
  expect(token.stderr).toContain("[login_required: no_token]");
});
