// AWS's tools and libraries: a profile of theirs whose credentials come from a process.

import { commandText } from "./command-line.ts";
import { withKey } from "./ini.ts";
import { awsConfigFile } from "./places.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

/** What else a profile may take its credentials from. */
const rivals = [
  "aws_access_key_id",
  "credential_source",
  "role_arn",
  "source_profile",
  "sso_session",
  "sso_start_url",
  "web_identity_token_file",
];

function nameOf({ target, profile }: SetupInput): string {
  const name = target ?? (profile === "default" ? "latchkey" : profile);
  if (/^[\w.@+-]{1,64}$/.test(name)) return name;
  throw refuseSetup(
    "This is not a name for a profile of AWS.",
    "Accepted: letters, digits, dot, dash and underscore.",
  );
}

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { profile, roleArn } = input;
  const name = nameOf(input);
  if (roleArn === undefined || !/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/.test(roleArn)) {
    throw refuseSetup(
      "AWS is set up for a role.",
      "Name it: latchkey setup aws --role-arn arn:aws:iam::123456789012:role/NAME",
    );
  }
  const { path, text: textBefore } = readConfiguration(awsConfigFile(input.machine), "aws");
  const section = name === "default" ? name : `profile ${name}`;
  const program = input.program("latchkey").path;
  const words = [program, "credential", "aws", `--profile=${profile}`, `--role-arn=${roleArn}`];
  const value = commandText(words);
  const key = "credential_process";
  const edited = withKey(textBefore ?? "", { section, key, value, rivals });
  const plan: Plan = { target: name, place: undefined, files: [], links: [], notes: [] };
  if (edited.outcome === "same") return plan;
  if (edited.outcome !== "in") {
    throw refuseSetup(
      `The profile ${name} in ${path} takes its credentials from elsewhere.`,
      "Name another profile: latchkey setup aws NAME --role-arn ARN",
    );
  }
  const { text, insertion } = edited;
  const shown = `[${section}]\n${key} = ${value}`;
  return { ...plan, files: [{ path, textBefore, text, shown, insertions: [insertion] }] };
}
