// `latchkey exec`: a program with the token in its environment, as a script uses it.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { createHome, type Home } from "../../src/cli/testing.ts";
import { startLatchkey } from "../support/command-line.ts";
import { desk, provider } from "./harness.ts";

const cached = ["--issuer", "https://id.example.com", "--client-id", "my-cli"];

/** A home folder whose only sign-in is the one that `cached` names. */
function signedInHome(): Home {
  const home = createHome();
  onTestFinished(() => home.remove());
  home.remember({ issuer: "https://id.example.com", clientId: "my-cli" });
  return home;
}

test("runs the program with the token, and ends as the program ends", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const { stdout: token } = await at.run(["token", ...flags]);
  const printed = await at.run([
    "exec",
    ...flags,
    "--",
    "sh",
    "-c",
    "echo $LATCHKEY_ACCESS_TOKEN $0",
    "--flag",
  ]);
  expect([printed.code, printed.stdout, printed.stderr]).toEqual([
    0,
    `${token.trim()} --flag\n`,
    "",
  ]);
  const named = await at.run([
    "exec",
    "--env",
    "API_TOKEN",
    ...flags,
    "--",
    "sh",
    "-c",
    "echo $API_TOKEN$LATCHKEY_ACCESS_TOKEN; exit 7",
  ]);
  expect([named.code, named.stdout]).toEqual([7, token]);
  const killed = await at.run(["exec", ...flags, "--", "sh", "-c", "kill -9 $$"]);
  expect(killed.code).toBe(137);
});

test("the client secret and the token are not handed on in any other way [B11][O07]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const { clientId, clientSecret } = identityProvider.clients.confidentialBasic;
  const run = await at.run(
    [
      "exec",
      "--issuer",
      identityProvider.issuer,
      "--client-id",
      clientId,
      "--callback-port",
      "0",
      "--browser-command",
      at.browser,
      "--",
      "sh",
      "-c",
      "env; cat /proc/$PPID/cmdline",
    ],
    { env: { LATCHKEY_CLIENT_SECRET: clientSecret } },
  );
  expect(run.code).toBe(0);
  expect(run.stdout).not.toContain(clientSecret);
  expect(run.stdout.split("LATCHKEY_ACCESS_TOKEN=")).toHaveLength(2);
});

test.each([
  [["exec"], "invalid_option"],
  [["exec", "--"], "invalid_option"],
  [["exec", "--env", "A B", "--", "true"], "invalid_option"],
  [["token", "--", "true"], "invalid_option"],
])("%j is refused before anything is asked", async (parameters, code) => {
  const at = await desk();
  const run = await at.run(parameters);
  expect([run.code, run.stdout]).toEqual([2, ""]);
  expect(run.stderr).toContain(`[${code}`);
});

test("a program that is not there is named", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const run = await at.run(["exec", ...at.flags(identityProvider), "--", "no-such-program"]);
  expect(run.code).toBe(2);
  expect(run.stderr).toMatch(/no-such-program.*\[invalid_option: program_not_found\]\n$/);
});

test("SIGTERM reaches the program, which may clean up in its own time", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const script = join(at.home, "tidy.sh");
  writeFileSync(
    script,
    'trap "sleep 2.5; echo tidied; exit 5" TERM\necho ready\nwhile :; do sleep 0.05; done\n',
  );
  const running = at.start(["exec", ...flags, "--", "sh", script]);
  await running.waitFor(/ready/, "stdout");
  running.kill("SIGTERM");
  const ended = await running.finished;
  expect([ended.code, ended.stdout]).toEqual([5, "ready\ntidied\n"]);
});

test("a program's standard input is the one of the command", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const run = await at.run(["exec", ...flags, "--", "cat"], { stdin: "through\n" });
  expect(run.stdout).toBe("through\n");
});

test("signals from outside reach the program, and Node's debugger stays shut [F-T6][F-T3]", async () => {
  const home = signedInHome();
  const script = join(home.path, "caught.sh");
  const signals = ["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM"] as const;
  writeFileSync(
    script,
    `${signals.map((signal) => `trap 'echo caught ${signal}' ${signal}`).join("\n")}
trap 'exit 9' XCPU
echo ready
while :; do sleep 0.05; done
`,
  );
  const running = startLatchkey(["exec", ...cached, "--", "sh", script], { home: home.path });
  await running.waitFor(/ready/, "stdout");
  for (const signal of signals) {
    running.kill(`SIG${signal}`);
    await running.waitFor(new RegExp(`caught ${signal}\n`), "stdout");
  }
  running.kill("SIGXCPU");
  const ended = await running.finished;
  // "Debugger listening on ws://127.0.0.1:9229" is what Node would say.
  expect([ended.code, ended.stderr]).toEqual([9, ""]);
});

test("open files are handed on under their numbers, and no others [F-T6]", async () => {
  const home = signedInHome();
  const file = join(home.path, "handed-on");
  writeFileSync(file, "from a file\n");
  const descriptor = openSync(file, "r");
  onTestFinished(() => closeSync(descriptor));
  const command = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));
  const stdio: ("pipe" | "ignore" | number)[] = Array.from({ length: 10 }, () => "ignore");
  stdio[1] = stdio[2] = "pipe";
  stdio[3] = stdio[9] = descriptor;
  const list =
    "cat <&3; for n in 3 4 5 6 7 8 9 10 11 12 13 14; do [ -e /proc/$$/fd/$n ] && echo $n; done";
  const child = spawn(process.execPath, [command, "exec", ...cached, "--", "sh", "-c", list], {
    stdio,
    env: { PATH: process.env["PATH"] ?? "", HOME: home.path },
  });
  const closed = once(child, "close");
  const said = { stdout: "", stderr: "" };
  child.stdout?.on("data", (text) => (said.stdout += String(text)));
  child.stderr?.on("data", (text) => (said.stderr += String(text)));
  await closed;
  expect(said).toEqual({ stdout: "from a file\n3\n9\n", stderr: "" });
});
