// `latchkey completion` as a shell reads it from the built command line. Changes when the way it is read does.
// What is completed stands in src/cli/completion.test.ts and src/cli/completion.process.test.ts.

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { desk } from "./harness.ts";

const built = fileURLToPath(new URL("../../dist/cli/latchkey.cjs", import.meta.url));

test("bash sources it, and then completes", async () => {
  const { home } = await desk();
  const command = join(home, "bin", "latchkey");
  mkdirSync(join(home, "bin"));
  writeFileSync(command, `#!/bin/sh\nexec '${process.execPath}' '${built}' "$@"\n`);
  chmodSync(command, 0o755);
  const script =
    "source <(latchkey completion bash); COMP_WORDS=(latchkey to); COMP_CWORD=1; _latchkey; " +
    'printf "%s\\n" "${COMPREPLY[@]}"';
  const said = execFileSync("bash", ["--norc", "-c", script], {
    encoding: "utf8",
    env: { PATH: `${join(home, "bin")}:${process.env["PATH"] ?? ""}`, HOME: home },
  });
  expect(said).toBe("token\n");
});

test("it reads no settings: a start-up file must not break by them", async () => {
  const at = await desk();
  const env = { LATCHKEY_PROFILE: "missing", LATCHKEY_FLOW: "nonsense" };
  for (const shell of ["bash", "zsh", "fish"]) {
    const { code, stdout, stderr } = await at.run(["completion", shell], { env });
    expect([shell, code, stderr]).toEqual([shell, 0, ""]);
    expect(stdout).toContain(`latchkey __complete ${shell}`);
  }
  const unknown = await at.run(["completion", "tcsh"]);
  expect([unknown.code, unknown.stdout]).toEqual([2, ""]);
  expect(unknown.stderr).toMatch(/bash\|zsh\|fish\. \[invalid_option\]\n$/);
});
