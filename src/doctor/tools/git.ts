// Checks of git: whether its credential helper is Latchkey, and which others come before it.

import { failed, ok, skipped, warning, type Check } from "../check.ts";
import { findProgram } from "../../setup/programs.ts";

const maxSeconds = 15;

/** One setting of `credential.…`, in the order in which git reads them. */
interface Setting {
  /** The address that it is for; empty for all. */
  readonly address: string;
  readonly key: string;
  readonly value: string;
}

/** What `git config --list --null` prints. */
function settingsIn(text: string): readonly Setting[] {
  return text.split("\0").flatMap((entry) => {
    const [name = "", ...value] = entry.split("\n");
    const [, address = "", key = ""] = /^credential\.(?:(.+)\.)?([^.]+)$/.exec(name) ?? [];
    return key === "" ? [] : [{ address, key: key.toLowerCase(), value: value.join("\n") }];
  });
}

/** `latchkey`, `/path/git-credential-latchkey`, `!latchkey credential git`. */
function isOurs(helper: string): boolean {
  return /(?:^|[/\\ !])(?:git-credential-)?latchkey(?:\.\w+)?(?:\s|$)/.test(helper);
}

/** The helpers that are left for an address: an empty value takes back those before it. */
function helpersFor(address: string, settings: readonly Setting[]): readonly string[] {
  return settings
    .filter(({ key, address: its }) => key === "helper" && (its === "" || its === address))
    .reduce<readonly string[]>((left, { value }) => (value === "" ? [] : [...left, value]), []);
}

/** What is known of other helpers without their words, which may hold a path of the user's. */
function nameOf(helper: string): string {
  const [first = ""] = helper.replace(/^!/, "").trim().split(/\s+/);
  return (/[^/\\]*$/.exec(first)?.[0] ?? "another").replace(/[^\w.-]/g, "").slice(0, 60);
}

const gitconfig: Check = {
  name: "gitconfig",
  area: "git",
  maxSeconds,
  about: "the credential helpers of git: ours, its place among others, and useHttpPath",
  async run({ machine, output, servedHosts }) {
    if (findProgram("git", machine) === undefined) return skipped("git is not on PATH.");
    const text = await output("git", ["config", "--list", "--null", "--includes"]);
    if (text === undefined) {
      return failed("git cannot read its configuration.", "See what it says: git config --list");
    }
    const settings = settingsIn(text);
    const ours = settings.filter(({ key, value }) => key === "helper" && isOurs(value));
    if (ours.length === 0) {
      return skipped("git does not get its passwords from Latchkey (credential.helper=latchkey).");
    }
    const [first] = ours;
    const address = ours.find((each) => each.address !== "")?.address ?? "";
    const program = "git-credential-latchkey";
    if (first?.value === "latchkey" && findProgram(program, machine) === undefined) {
      return failed(
        `git's helper is latchkey, and the program ${program} is not on PATH.`,
        "Put the folder of Latchkey's programs into PATH, or write the helper's whole path.",
      );
    }
    const helpers = helpersFor(address, settings);
    const place = helpers.findIndex((helper) => isOurs(helper));
    if (place === -1) {
      return failed(
        "An empty credential.helper behind it takes git's helper latchkey back.",
        "Move it behind that line, or name the host: credential.https://HOST.helper=latchkey.",
      );
    }
    const before = helpers.slice(0, place).map(nameOf);
    if (before.length > 0) {
      return warning(
        `Another helper of git's comes first (${before.join(", ")}) and answers with what it has stored, which may be an old token.`,
        'Set an empty helper before ours: git config --global --add credential.https://HOST.helper "" and then latchkey.',
      );
    }
    if (settings.some(({ key, value }) => key === "usehttppath" && value === "true")) {
      return warning(
        "useHttpPath is set, so that git asks anew for each repository.",
        "Unset it for hosts that Latchkey serves: one token is good for all of a host.",
      );
    }
    return servedHosts().length === 0
      ? warning(
          "git asks Latchkey, and no host is in its table, so that none gets a token.",
          'Add [server."git.example.com"] with profile = "NAME" to the configuration file.',
        )
      : ok("git asks Latchkey first.");
  },
};

/** git. */
export const gitChecks: readonly Check[] = [gitconfig];
