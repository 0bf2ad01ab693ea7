// `latchkey exec`: a program with the token in its environment, as a script uses it.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { desk, provider } from "./harness.ts";

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
