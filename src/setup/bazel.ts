// Bazel: a credential helper for one host, in the user's own configuration.

import { commandText } from "./command-line.ts";
import { appended } from "./lines.ts";
import { bazelConfigFile } from "./places.ts";
import { serverNamed } from "./server.ts";
import type { Plan, SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { place, host } = serverNamed(input, "bazel");
  const { path, text: textBefore } = readConfiguration(bazelConfigFile(input.machine), "bazel");
  // Bazel tells hosts apart, and not their ports.
  const program = input.program("bazel-credential-latchkey").path;
  const flag = `--credential_helper=${host.replace(/:\d+$/, "")}=${program}`;
  const line = `common ${commandText([flag])}`;
  const plan: Plan = { target: host, place, files: [], links: [], notes: [] };
  if ((textBefore ?? "").split(/\r?\n/).includes(line)) return plan;
  const { text, insertion } = appended(textBefore ?? "", [line]);
  return { ...plan, files: [{ path, textBefore, text, shown: line, insertions: [insertion] }] };
}
