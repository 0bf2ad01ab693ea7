// A part of the installed package that is not there for a while, or cannot be opened. Changes with how parts are loaded.

import { spawn, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

let identityProvider: IdentityProvider;
beforeAll(async () => {
  identityProvider = await startIdentityProvider();
});
afterAll(() => identityProvider.close());

/** The package as it lies in a folder of modules, of which a test may take something away. */
function installation(): {
  readonly folder: string;
  readonly dist: string;
} {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-loading-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const home = join(folder, "node_modules", "latchkey");
  mkdirSync(home, { recursive: true });
  mkdirSync(join(folder, "home"), { mode: 0o700 });
  cpSync(join(root, "package.json"), join(home, "package.json"));
  cpSync(join(root, "dist"), join(home, "dist"), { recursive: true });
  return { folder, dist: join(home, "dist") };
}

const prelude = `
  import { closeSync, openSync, renameSync } from "node:fs";
  import { OidcAuth, OidcCredentialsAuth, BearerTokenAuth, isOidcError, memoryStore } from "latchkey";
  const settings = { issuer: process.env.ISSUER, clientId: process.env.CLIENT, clientSecret: process.env.SECRET };
  const make = () => new OidcCredentialsAuth(settings);
  const outcome = (call) => call.then(
    () => "token",
    (error) => isOidcError(error) ? [error.code, error.reason] : ["bare", String(error)],
  );
  const away = (path) => renameSync(path, path + ".away");
  const back = (path) => renameSync(path + ".away", path);
`;

/** Runs a module beside the installed package and gives what it prints, parsed. */
async function run(folder: string, script: string, limit = ""): Promise<unknown> {
  const { clientId, clientSecret } = identityProvider.clients.confidentialPost;
  const command = `${limit}exec "$0" --input-type=module -e "$1"`;
  const child = spawn("/bin/sh", ["-c", command, process.execPath, prelude + script], {
    cwd: folder,
    env: {
      HOME: join(folder, "home"),
      ISSUER: identityProvider.issuer,
      CLIENT: clientId,
      SECRET: clientSecret,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
  await new Promise((resolve) => child.once("close", resolve));
  expect(texts.stderr).toBe("");
  return JSON.parse(texts.stdout);
}

const missing = ["runtime_unavailable", "module_missing"];

test("[F-T1] names of parts carry a hash of their content", () => {
  const parts = readdirSync(join(root, "dist", "chunks"));
  expect(parts.length).toBeGreaterThan(10);
  expect(parts.filter((name) => !/^[\w-]+-[\w-]{8}\.cjs$/.test(name))).toEqual([]);
});

test("[F-T1] every part away for a while: an error that says so, then a token", async () => {
  const at = installation();
  const path = JSON.stringify(join(at.dist, "chunks"));
  const script = `
    const before = make();
    away(${path});
    const first = await outcome(before.getToken());
    const second = await outcome(make().getToken());
    back(${path});
    console.log(JSON.stringify([first, second, await outcome(before.getToken()), await outcome(make().getToken())]));`;
  expect(await run(at.folder, script)).toEqual([missing, missing, "token", "token"]);
});

test("[F-T1] a part that others need away for a while: none of them is remembered as missing", async () => {
  const at = installation();
  const chunks = join(at.dist, "chunks");
  const named = (name: string): string => {
    const pattern = new RegExp(`^${name}-[\\w-]{8}\\.cjs$`);
    const found = readdirSync(chunks).find((file) => pattern.test(file));
    return JSON.stringify(join(chunks, found ?? "none"));
  };
  // Parts that were loaded with the first failure are not loaded a second time.
  const script = `
    const auth = make();
    const met = [];
    for (const path of [${["session", "client-credentials"].map(named).join(", ")}]) {
      away(path);
      met.push(await outcome(auth.getToken({ forceRefresh: true })));
      back(path);
    }
    console.log(JSON.stringify([...met, await outcome(auth.getToken())]));`;
  const [first, second, ...rest] = (await run(at.folder, script)) as unknown[];
  expect([first, second]).toEqual([missing, missing]);
  expect(rest.at(-1)).toBe("token");
});

test("[F-T1] no descriptor left when a part is needed: an error, and a token once there are some", async () => {
  const at = installation();
  const script = `
    const auth = make();
    const held = [];
    try { for (;;) held.push(openSync("/dev/null")); } catch {}
    const first = await outcome(auth.getToken());
    for (const descriptor of held) closeSync(descriptor);
    console.log(JSON.stringify([first[0], await outcome(auth.getToken()), await outcome(make().getToken())]));`;
  const outcome = await run(at.folder, script, "ulimit -n 64; ");
  expect(outcome).toEqual(["runtime_unavailable", "token", "token"]);
});

test("[F-T1] stores and token files that load their code late do so again", async () => {
  const at = installation();
  const chunks = JSON.stringify(join(at.dist, "chunks"));
  const script = `
    const inFile = new BearerTokenAuth({ tokenFile: ${JSON.stringify(join(at.folder, "token"))} });
    const store = memoryStore();
    away(${chunks});
    const first = [await outcome(store.list()), await outcome(inFile.getToken())];
    back(${chunks});
    console.log(JSON.stringify([first, [await outcome(store.list()), await outcome(inFile.getToken())]]));`;
  expect(await run(at.folder, script)).toEqual([
    [missing, missing],
    ["token", ["invalid_option", null]],
  ]);
});

test("[F-T1] the command line says that files of it are missing", async () => {
  const at = installation();
  const command = join(at.dist, "cli", "latchkey.cjs");
  const told = async (): Promise<{ code: number | null; stderr: string }> => {
    const child = spawn(process.execPath, [command, "status"], {
      env: { HOME: join(at.folder, "home") },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, stderr };
  };
  renameSync(join(at.dist, "chunks"), join(at.dist, "elsewhere"));
  const whole = await told();
  renameSync(join(at.dist, "elsewhere"), join(at.dist, "chunks"));
  const [part = ""] = readdirSync(join(at.dist, "chunks")).filter((name) =>
    name.startsWith("status-"),
  );
  rmSync(join(at.dist, "chunks", part));
  const one = await told();
  for (const { code, stderr } of [whole, one]) {
    expect(code).toBe(1);
    expect(stderr).toContain("install");
    expect(stderr).not.toContain("    at ");
    expect(stderr.trimEnd().replaceAll("\n", " ")).toMatch(
      /\[runtime_unavailable: module_missing\]$/,
    );
  }
});

test("works under the name of a link with --preserve-symlinks-main [F-T12]", () => {
  const { folder, dist } = installation();
  const link = join(folder, "latchkey");
  symlinkSync(join(dist, "cli", "latchkey.cjs"), link);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--preserve-symlinks-main", link, "status"],
    { env: { HOME: join(folder, "home") }, encoding: "utf8" },
  );
  expect([status, stdout, stderr]).toEqual([0, "", "Nothing is cached.\n"]);
});
