// pip, and uv, which asks in the same way: a program called keyring, in a folder of its own.

import { realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { stateFolder } from "../options/paths.ts";
import { withKey } from "./ini.ts";
import { pipConfigFile } from "./places.ts";
import { findProgram } from "./programs.ts";
import { serverNamed } from "./server.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { machine } = input;
  const { place, host } = serverNamed(input, "pip");
  const { path, text: textBefore } = readConfiguration(pipConfigFile(machine), "pip");
  const wanted = {
    section: "global",
    key: "keyring-provider",
    value: "subprocess",
  };
  const edited = withKey(textBefore ?? "", wanted);
  // Not in the folder of the other programs: there is a program of that name which others use.
  const folder = join(stateFolder(machine), "keyring");
  const link = join(folder, "keyring");
  const target = join(dirname(realpathSync(input.program("latchkey").path)), "keyring.cjs");
  const notes =
    findProgram("keyring", machine) === link
      ? []
      : [`pip and uv look for keyring in PATH: put ${folder} first into it.`];
  const plan = {
    target: host,
    place,
    sharedAs: "helper",
    files: [],
    links: [{ path: link, target }],
    notes,
  };
  if (edited.outcome === "same") return plan;
  if (edited.outcome !== "in") {
    throw refuseSetup(
      `${path} names another keyring-provider.`,
      "Take it out, and run this again.",
    );
  }
  const { text, insertion } = edited;
  const shown = "[global]\nkeyring-provider = subprocess";
  return { ...plan, files: [{ path, textBefore, text, shown, insertions: [insertion] }] };
}
