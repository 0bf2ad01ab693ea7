// An error as one paragraph on the terminal. Changes when the form of that paragraph does.

import { type OidcError, sanitizeProviderText, wordingOf } from "../../core/errors.ts";
import { libraryNames, worded, type Names } from "../../core/wording.ts";
import { flagOf } from "../../options/row.ts";
import { optionTable } from "../../options/table.ts";

const maxParagraph = 4000;

const flagNames: ReadonlyMap<string, string> = new Map([
  ...optionTable
    .filter((row) => row.text === "all" || row.text === "flag")
    .map((row): [string, string] => [row.name, flagOf(row)]),
  ["forceRefresh", "force-refresh"],
  ["minValiditySeconds", "min-validity-seconds"],
  ["interactive", "interactive"],
]);

/** What an option is called on the command line; as in the library where no flag leads to it. */
function flagFor(name: string, value: string | undefined): string {
  if (name === "clientSecret") return "LATCHKEY_CLIENT_SECRET (or --client-secret-file)";
  const flag = flagNames.get(name);
  if (flag === undefined) return libraryNames.option(name, value);
  if (value === undefined || value === "true") return `--${flag}`;
  return value === "false" ? `--no-${flag}` : `--${flag} ${value}`;
}

/** The command line's names for options and calls. `configuration`: what this run was configured with, as flags. */
export function commandLineNames(configuration: readonly string[]): Names {
  const command = (name: "login" | "logout"): string =>
    [`latchkey ${name}`, ...configuration.map(typedWord)].join(" ");
  return {
    option: flagFor,
    call: (name) => {
      if (name === "move") return "To move it, run: latchkey cache move";
      return name === "login" ? `Run: ${command("login")}` : "latchkey logout";
    },
    trust: (server) => `To accept it, run: latchkey trust accept ${typedWord(server)}`,
  };
}

function quoted(word: string): string {
  return /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** `--flag=value` as a person would type it into a shell. */
export function typedWord(argument: string): string {
  const sign = argument.indexOf("=");
  const value = argument.slice(sign + 1);
  if (sign === -1 || value === "" || value.startsWith("-")) return quoted(argument);
  return `${argument.slice(0, sign)} ${quoted(value)}`;
}

// A reason is ours; a provider's error code stands in its place only where it is a plain word (O04, O06).
function reasonOf(error: OidcError): string | undefined {
  const reason = error.reason ?? error.providerError;
  const says = reason !== undefined && reason !== error.code && /^[\w.-]{1,64}$/.test(reason);
  return says ? reason : undefined;
}

/** The paragraph for an error: its message in the command line's names, and the code. */
export function errorParagraph(error: OidcError, configuration: readonly string[]): string {
  const message = worded(wordingOf(error), commandLineNames(configuration));
  const mentionsIssuer = error.remedy?.some(
    (part) => typeof part !== "string" && "option" in part && part.option === "issuer",
  );
  const isUnnamed = error.code === "missing_issuer" && mentionsIssuer === true;
  const advice = isUnnamed ? " Or make a profile: latchkey setup" : "";
  const reason = reasonOf(error);
  const tag = reason === undefined ? error.code : `${error.code}: ${reason}`;
  return `${sanitizeProviderText(message + advice, maxParagraph)} [${tag}]`;
}

/** The paragraph for a fault of Latchkey itself. Its message is left out: nobody has checked what it holds (O03). */
export function faultParagraph(fault: unknown): string {
  const errno = fault instanceof Error && "code" in fault ? fault.code : undefined;
  if (errno === "EMFILE" || errno === "ENFILE") {
    return `Too many files are open here (${errno}). Close some, or raise the limit (ulimit -n), and try again. [runtime_unavailable: too_many_open_files]`;
  }
  const name = fault instanceof Error ? sanitizeProviderText(fault.name, 60) : typeof fault;
  const stack = fault instanceof Error ? (fault.stack ?? "") : "";
  const places = stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line))
    .slice(0, 8)
    .map((line) => sanitizeProviderText(line, 300));
  const lines = places.map((place) => `\n  ${place}`).join("");
  return `This is a fault in Latchkey itself (${name}), not in what you did. Please report it with these lines. [internal_error]${lines}`;
}
