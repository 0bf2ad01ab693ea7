// Changes with how tests run commands.
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runLatchkey, scratchHome, startLatchkey } from "./command-line.ts";

let home: { path: string; remove(): Promise<void> };
beforeEach(async () => {
  home = await scratchHome();
});
afterEach(() => home.remove());

/** A command of our own in the place of Latchkey's. */
async function commandOf(source: string): Promise<string> {
  const path = join(home.path, "command.cjs");
  await writeFile(path, source);
  return path;
}

test("a command gets a clean environment, its parameters and its input", async () => {
  const command = await commandOf(`
    const input = require("node:fs").readFileSync(0, "utf8");
    console.log(JSON.stringify({ environment: process.env, parameters: process.argv.slice(2), input }));
    console.error("a word");
    process.exitCode = 3;
  `);
  process.env["NODE_EXTRA_CA_CERTS_OF_THE_TEST"] = "must not be inherited";
  const result = await runLatchkey(["token", "--json"], {
    home: home.path,
    command,
    stdin: "typed",
    env: { LATCHKEY_PROFILE: "data" },
  });
  delete process.env["NODE_EXTRA_CA_CERTS_OF_THE_TEST"];

  const { environment, parameters, input } = JSON.parse(result.stdout);
  expect(Object.keys(environment).toSorted()).toEqual([
    "HOME",
    "LATCHKEY_PROFILE",
    "PATH",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
  ]);
  expect(environment.HOME).toBe(home.path);
  expect({ parameters, input }).toEqual({ parameters: ["token", "--json"], input: "typed" });
  expect(result).toMatchObject({ code: 3, signal: null, stderr: "a word\n" });
  expect(result.milliseconds).toBeGreaterThan(0);
  expect((await stat(home.path)).mode & 0o777).toBe(0o700);
});

test("a running command is waited for, written to and killed", async () => {
  const command = await commandOf(`
    process.stdin.on("data", (chunk) => console.error("heard " + chunk));
    console.error("ready on port 4711");
  `);
  const running = startLatchkey([], { home: home.path, command });
  expect((await running.waitFor(/port (\d+)/))[1]).toBe("4711");
  running.write("hello");
  await running.waitFor(/heard hello/);
  expect(running.stdout()).toBe("");
  running.kill("SIGKILL");
  expect(await running.finished).toMatchObject({ code: null, signal: "SIGKILL" });
  await expect(running.waitFor(/never said/)).rejects.toThrow("ended without /never said/");
});

test("a command that takes too long is killed and fails the test", async () => {
  const command = await commandOf(`console.error("so far"); setInterval(() => {}, 1000);`);
  // On a busy machine it takes a while before it says anything.
  let said = "";
  for (let timeoutMs = 500; timeoutMs <= 16_000 && !said.includes("\nso far"); timeoutMs *= 2) {
    const running = runLatchkey([], { home: home.path, command, timeoutMs });
    said = await running.then(
      () => "nothing failed",
      (error: unknown) => String(error),
    );
    expect(said).toContain(`longer than ${timeoutMs} ms; `);
  }
  expect(said).toContain("standard error so far:\nso far");
});
