// What the tests of the command line share: the built program, cache files and processes. Changes when those tests
// need another kind of surroundings.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { resolveOptions } from "../options/resolve.ts";
import type { SessionRecord } from "../record/format.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import { formatCacheFile } from "../record/parse.ts";

const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A build of the command line as it is in the tree now. */
export interface BuiltCommandLine {
  readonly warm: string;
  readonly full: string;
  remove(): void;
}

/** Bundles the sources as scripts/build.mjs does, into a folder of its own below node_modules, so that packages resolve. */
export async function buildCommandLine(): Promise<BuiltCommandLine> {
  const parent = join(root, "node_modules", ".cache");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "latchkey-cli-"));
  const others = ["main", "complete"];
  const warm = await rolldown({
    input: join(root, "src", "cli", "latchkey.ts"),
    platform: "node",
    external: (id) => id.startsWith("node:"),
    plugins: [
      {
        name: "others-stay-apart",
        resolveId: (source) => {
          const name = others.find((each) => source === `./${each}.ts`);
          return name === undefined ? undefined : { id: `./${name}.js`, external: true };
        },
      },
    ],
  });
  await warm.write({
    file: join(folder, "latchkey.cjs"),
    format: "cjs",
    banner: "#!/usr/bin/env node",
  });
  await warm.close();
  const full = await rolldown({
    input: others.map((name) => join(root, "src", "cli", `${name}.ts`)),
    platform: "node",
    external: (id) => id.startsWith("node:"),
  });
  await full.write({
    dir: folder,
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "[name].js",
  });
  await full.close();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "built", type: "module" }));
  return {
    warm: join(folder, "latchkey.cjs"),
    full: join(folder, "main.js"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A home folder with the cache and configuration in it. */
export interface Home {
  readonly path: string;
  readonly cacheFolder: string;
  readonly configurationFile: string;
  /** Writes the record of a configuration where Latchkey looks for it; gives the path. */
  remember(options: Readonly<Record<string, unknown>>, record?: Partial<SessionRecord>): string;
  configure(toml: string, mode?: number): void;
  remove(): void;
}

/** A JWT as far as its payload goes; nothing in the command line verifies one. */
export function unsignedIdToken(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "RS256" })}.${part(claims)}.c2lnbmF0dXJl`;
}

/** A fresh record for options. */
export function recordFor(
  options: Readonly<Record<string, unknown>>,
  record: Partial<SessionRecord> = {},
): SessionRecord {
  const resolved = resolveOptions(options, "interactive");
  const now = Math.floor(Date.now() / 1000);
  return {
    key: recordKey({ kind: "interactive", options: { ...resolved } }),
    version: "0123456789abcdef01234567.1",
    issuer: resolved.issuer,
    clientId: resolved.clientId,
    tokenEndpoint: resolved.tokenEndpoint ?? `${resolved.issuer}/token`,
    authenticationMethod: "none",
    accessToken: {
      token: "cached-access-token",
      tokenType: "Bearer",
      scopes: ["openid", "email"],
      issuedAt: now - 60,
      expiresAt: now + 3600,
    },
    subject: "248289761001",
    displayName: "alice@example.com",
    signedInAt: (now - 60) * 1000,
    renewedAt: (now - 60) * 1000,
    ...record,
  };
}

/** An empty home folder of its own. */
export function createHome(): Home {
  const path = mkdtempSync(join(tmpdir(), "latchkey-cli-home-"));
  const cacheFolder = join(path, ".local", "state", "latchkey");
  const configurationFile = join(path, ".config", "latchkey", "config.toml");
  return {
    path,
    cacheFolder,
    configurationFile,
    remember(options, changes) {
      const record = recordFor(options, changes);
      const file = join(cacheFolder, cacheFileName(record.key));
      mkdirSync(cacheFolder, { recursive: true, mode: 0o700 });
      writeFileSync(file, formatCacheFile([record]), { mode: 0o600 });
      return file;
    },
    configure(toml, mode = 0o600) {
      mkdirSync(dirname(configurationFile), { recursive: true, mode: 0o700 });
      writeFileSync(configurationFile, toml, { mode });
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** How a process of the command line is started. */
export interface RunOptions {
  readonly home: Home;
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly workingDirectory?: string;
  /** Arguments of Node itself. */
  readonly nodeArguments?: readonly string[];
}

/** What a process said and how it ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program in an environment that holds nothing of the machine's but PATH. */
export function run(
  program: string,
  argumentList: readonly string[],
  options: RunOptions,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...(options.nodeArguments ?? []), program, ...argumentList],
      {
        cwd: options.workingDirectory ?? options.home.path,
        env: {
          PATH: process.env["PATH"] ?? "",
          HOME: options.home.path,
          TZ: "UTC",
          CI: "true",
          ...options.environment,
        },
        stdio: ["pipe", "pipe", "pipe"],
        timeout: 30_000,
      },
    );
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    // A command that ends before it reads its input is no failure of the test.
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input ?? "");
    child.once("error", reject);
    child.once("close", (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
