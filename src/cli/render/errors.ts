// An error as one paragraph on the terminal. Changes when the form of that paragraph does.

import { sanitizeProviderText, type OidcError } from "../../core/errors.ts";
import { flagOf, optionTable } from "../../options/table.ts";

const longestParagraph = 4000;

// The library names its options in backticks; the same words on the command line are flags.
const flagNames: ReadonlyMap<string, string> = new Map([
  ...optionTable
    .filter((row) => row.text === "all" || row.text === "flag")
    .map((row): [string, string] => [row.name, flagOf(row)]),
  ["forceRefresh", "force-refresh"],
  ["minValiditySeconds", "min-validity-seconds"],
  ["interactive", "interactive"],
]);

function flagFor(whole: string, name: string, value: string | undefined): string {
  if (name === "login") return "latchkey login";
  if (name === "clientSecret") return "LATCHKEY_CLIENT_SECRET (or --client-secret-file)";
  const flag = flagNames.get(name);
  if (flag === undefined) return whole;
  if (value === undefined || value === "true") return `--${flag}`;
  return value === "false" ? `--no-${flag}` : `--${flag} ${value}`;
}

/** A message of the library in the command line's words: flags for options, commands for methods. */
export function inFlags(message: string): string {
  return message
    .replaceAll("`logout()`", "latchkey logout")
    .replace(/`([a-z][A-Za-z]*)(?:: ([^`]*))?`/g, flagFor);
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

/**
 * The paragraph for an error: its message with flags for option names, the command that helps completed by what this
 * run was configured with, and the code.
 */
export function errorParagraph(error: OidcError, configuration: readonly string[]): string {
  const login = ["latchkey login", ...configuration.map(typedWord)].join(" ");
  const message = inFlags(error.message)
    .replace(/\bCall `login\(\)`\.$/, "Run: latchkey login")
    .replace(/\bRun: latchkey login$/, `Run: ${login}`);
  const isUnnamed = error.code === "missing_issuer" && message.includes("Set --issuer to ");
  const advice = isUnnamed ? " Or make a profile: latchkey setup" : "";
  const reason = reasonOf(error);
  const tag = reason === undefined ? error.code : `${error.code}: ${reason}`;
  return `${sanitizeProviderText(message + advice, longestParagraph)} [${tag}]`;
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
