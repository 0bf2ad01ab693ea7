// Starts the user who takes every name of Latchkey's that he can see. Changes when that user does.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Whether this process may start another as another user. */
export const canSquat: boolean = process.platform === "linux" && process.geteuid?.() === 0;

/** `nobody` of Debian. */
export const strangerId = 65_534;

async function start(parameters: readonly string[]): Promise<() => string> {
  const child = spawn(process.execPath, parameters, {
    uid: strangerId,
    gid: strangerId,
    cwd: "/",
    env: {},
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(async () => {
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!said.startsWith("ready\n")) await once(child.stdout, "data");
  return () => said;
}

/** Starts him; he ends with the test. Gives the names that he has got so far. */
export async function startNameSquatter(): Promise<() => readonly string[]> {
  // Where he can read it: the repository may lie in a folder that is closed to him.
  const folder = mkdtempSync(join(tmpdir(), "squatter-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const script = join(folder, "squatter.mjs");
  copyFileSync(fileURLToPath(new URL("name-squatter.mjs", import.meta.url)), script);
  chmodSync(folder, 0o755);
  const said = await start([script]);
  return () => said().split("\n").slice(1, -1);
}

/** Lets another user hold one abstract name, and never answer there. */
export async function holdName(name: string): Promise<void> {
  const listen = `require("net").createServer(() => {}).listen(${JSON.stringify({ path: name })}, () => console.log("ready"))`;
  await start(["-e", listen]);
}
