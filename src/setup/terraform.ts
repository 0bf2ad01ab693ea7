// Terraform and OpenTofu: a credentials helper, of which there is one for all hosts, and its program where it is looked for.

import { realpathSync } from "node:fs";
import { join } from "node:path";
import { appended } from "./lines.ts";
import { terraformConfigFile, terraformPluginFolder } from "./places.ts";
import { serverNamed } from "./server.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

const program = "terraform-credentials-latchkey";

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { machine } = input;
  const { place, host } = serverNamed(input, "terraform");
  const { path, text: textBefore } = readConfiguration(terraformConfigFile(machine), "terraform");
  const [, known] = /^[ \t]*credentials_helper[ \t]+"?([^"\s{]*)/m.exec(textBefore ?? "") ?? [];
  const plan = {
    target: host,
    place,
    sharedAs: "helper",
    files: [],
    links: [
      {
        path: join(terraformPluginFolder(machine), program),
        target: realpathSync(input.program(program).path),
      },
    ],
    notes: [],
  };
  if (known === "latchkey") return plan;
  if (known !== undefined) {
    throw refuseSetup(
      `${path} has another credentials_helper, and Terraform takes one.`,
      "Take it out, and run this again.",
    );
  }
  const line = 'credentials_helper "latchkey" {}';
  const { text, insertion } = appended(textBefore ?? "", [line]);
  return { ...plan, files: [{ path, textBefore, text, shown: line, insertions: [insertion] }] };
}
