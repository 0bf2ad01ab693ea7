// Processes in which Node.js itself lacks something: an error that says what. Changes with what Latchkey needs of Node.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { desk, provider } from "./harness.ts";

const dist = fileURLToPath(new URL("../../dist/", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(home: string, command: string, parameters: readonly string[]): Promise<Outcome> {
  const child = spawn("/bin/sh", ["-c", command, process.execPath, ...parameters], {
    env: { HOME: home, PATH: process.env["PATH"] },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...texts };
}

/** True where this Node knows the way to lack something, and lacks it then: newer ones need less and have fewer flags. */
function isLacking({ command }: { readonly command: string }): boolean {
  const probe =
    "new WebAssembly.Memory({ initial: 1 }); if (!globalThis.fetch || !globalThis.crypto) throw 1;";
  const module = join(mkdtempSync(join(tmpdir(), "latchkey-probe-")), "probe.mjs");
  writeFileSync(module, probe);
  const { status } = spawnSync("/bin/sh", ["-c", command, process.execPath, module]);
  rmSync(dirname(module), { recursive: true });
  const unknownFlag = 9;
  return status !== 0 && status !== unknownFlag;
}

const lacks = [
  {
    way: "--no-experimental-global-webcrypto",
    command: 'exec "$0" --no-experimental-global-webcrypto "$@"',
    reason: "crypto_missing",
    advice: "--no-experimental-global-webcrypto",
  },
].filter((way) => isLacking(way));

/** What Node's own fetch needs, and Latchkey does not. */
const needless = [
  { way: "ulimit -v", command: 'ulimit -v 3000000; exec "$0" "$@"' },
  { way: "--jitless", command: 'exec "$0" --jitless "$@"' },
  { way: "--no-experimental-fetch", command: 'exec "$0" --no-experimental-fetch "$@"' },
].filter((way) => isLacking(way));

/** A program that asks for a token and tells what came of it, in a process that lacks something. */
async function programUnder(command: string): Promise<unknown> {
  const at = await desk();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialPost;
  const settings = { issuer: identityProvider.issuer, clientId, clientSecret };
  const script = `
    import { OidcCredentialsAuth } from ${JSON.stringify(pathToFileURL(join(dist, "index.js")).href)};
    const auth = new OidcCredentialsAuth(${JSON.stringify(settings)});
    const told = await auth.getToken().then(
      ({ tokenType }) => tokenType,
      (error) => [error.name, error.code, error.reason],
    );
    // What was left behind would end the process in a later turn.
    await new Promise((resolve) => setTimeout(resolve, 200));
    console.log(JSON.stringify(told));`;
  // From a file: with -e, Node makes its modules globals, `crypto` among them.
  const program = join(at.home, "program.mjs");
  writeFileSync(program, script);
  const { code, stdout } = await run(at.home, command, [program]);
  expect(code).toBe(0);
  return JSON.parse(stdout);
}

test.each(needless)("[F-T2] a program under $way gets its token", async ({ command }) => {
  expect(await programUnder(command)).toBe("Bearer");
});

test.each(lacks)(
  "[F-T2] the command line under $way says so",
  async ({ command, reason, advice }) => {
    const at = await desk();
    const identityProvider = await provider();
    const flags = ["token", ...at.flags(identityProvider)];
    const { code, stdout, stderr } = await run(at.home, command, [
      join(dist, "cli", "latchkey.cjs"),
      ...flags,
    ]);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr.replaceAll("\n", " ")).toContain(advice);
    expect(stderr.trimEnd()).toMatch(new RegExp(`\\[runtime_unavailable:\\s${reason}\\]$`));
    expect(identityProvider.requests().total).toBe(0);
  },
);

test.each(lacks)(
  "[F-T2] a program under $way goes on after an OidcError",
  async ({ command, reason }) => {
    expect(await programUnder(command)).toEqual(["OidcError", "runtime_unavailable", reason]);
  },
);
