// docker, and podman, skopeo and oras, which read its configuration: a credential helper for one registry.

import { withMember } from "./json-members.ts";
import { dockerConfigFile } from "./places.ts";
import { serverNamed } from "./server.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

const program = "docker-credential-latchkey";

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { place, host } = serverNamed(input, "docker");
  const { path, text: textBefore } = readConfiguration(dockerConfigFile(input.machine), "docker");
  const edited = withMember(textBefore ?? "", "credHelpers", host, "latchkey");
  const found = input.program(program);
  const notes = found.isOnPath
    ? []
    : [
        `docker looks for ${program} in PATH, and it is not there: put a link to ${found.path} into a folder of PATH.`,
      ];
  const own = { target: host, place, links: [], notes };
  switch (edited.outcome) {
    case "same":
      return { ...own, files: [] };
    case "other":
      throw refuseSetup(
        `${path} names another helper for this registry.`,
        `Take it out of credHelpers, and run this again.`,
      );
    case "unreadable":
      throw refuseSetup(
        `${path} is not a JSON object that can be changed safely.`,
        "Correct it, and run this again.",
      );
    default: {
      const { text, insertion } = edited;
      const shown = `"credHelpers": { ${JSON.stringify(host)}: "latchkey" }`;
      return { ...own, files: [{ path, textBefore, text, shown, insertions: [insertion] }] };
    }
  }
}
