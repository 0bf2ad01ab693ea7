// Google's tools and libraries: the file of an external account whose token comes from a program.

import { commandText } from "./command-line.ts";
import { appended } from "./lines.ts";
import { googleCredentialsFile } from "./places.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

const timeoutMilliseconds = 30_000;

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { target: audience, profile } = input;
  if (audience === undefined || !/^\/\/iam\.googleapis\.com\/[\w./-]{1,400}$/.test(audience)) {
    throw refuseSetup(
      "Google's libraries are set up for a provider of an identity pool.",
      "Name it: latchkey setup gcp //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER",
    );
  }
  const { path, text: textBefore } = readConfiguration(googleCredentialsFile(input.machine), "gcp");
  const words = [input.program("latchkey").path, "credential", "gcp", `--profile=${profile}`];
  const account = {
    type: "external_account",
    audience,
    subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
    token_url: "https://sts.googleapis.com/v1/token",
    credential_source: {
      executable: { command: commandText(words), timeout_millis: timeoutMilliseconds },
    },
  };
  const lines = JSON.stringify(account, undefined, 2).split("\n");
  const plan: Plan = {
    target: audience,
    place: undefined,
    files: [],
    links: [],
    notes: [
      "The libraries start a program where GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 is set, and not otherwise.",
    ],
  };
  const { text, insertion } = appended("", lines);
  if (textBefore === text) return plan;
  if (textBefore !== undefined && textBefore.trim() !== "") {
    throw refuseSetup(
      `${path} has other credentials.`,
      "Name another file: GOOGLE_APPLICATION_CREDENTIALS=FILE",
    );
  }
  const shown = lines.join("\n");
  return { ...plan, files: [{ path, textBefore, text, shown, insertions: [insertion] }] };
}
