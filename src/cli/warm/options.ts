// Which values of options and flags a warm start takes: a small part of what options/validate and arguments.ts accept,
// nothing beyond it. Their names and kinds are generated. Changes when a kind of option is added.
//
// The warm command is bundled from the files of this folder. Every byte of them is compiled at every start, about 500
// instructions each (measured), so they know the usual alone and say nothing about the rest: the full program does.

import { optionKinds } from "../../core/option-names.ts";
import { flagKinds, variableFlags } from "./flags.ts";

/** Flags and options as text, by the name of their flag. */
export type Given = Record<string, string>;

function kindIn(table: string, flag: string): string {
  const start = /[ :|=]/.test(flag) ? -1 : table.indexOf(` ${flag}:`);
  return start === -1 ? "" : table.slice(start + flag.length + 2, table.indexOf(" ", start + 1));
}

/** The kind of an option, by its flag; "" for what is not one. */
export function optionKind(flag: string): string {
  return kindIn(optionKinds, flag);
}

/** The kind of an option or of another flag of `latchkey token`; "" for one that is not known here. */
export function warmKind(flag: string): string {
  return optionKind(flag) || kindIn(flagKinds, flag);
}

function isUsualUrl(text: string): boolean {
  const isSafe =
    text.startsWith("https://") ||
    text.startsWith("http://127.0.0.1:") ||
    text.startsWith("http://localhost:");
  return isSafe && text.length <= 2000 && /^[\w.~:/%-]+$/.test(text) && URL.canParse(text);
}

function isUsualGrpcAddress(text: string): boolean {
  const isUsualForm = /^grpcs:\/\/[\w.-]{1,200}:(?:\d{1,4}|[1-5]\d{4})$/.test(text);
  return isUsualForm && URL.canParse(text.replace("grpcs", "https"));
}

/** True for a value that is right beyond doubt; a doubtful one is the full program's to judge. */
export function isUsual(kind: string, text: string): boolean {
  switch (kind) {
    case "server":
      return isUsualUrl(text) || isUsualGrpcAddress(text);
    case "issuer":
    case "endpoint":
    case "redirectUri":
    case "resources":
      return isUsualUrl(text);
    case "text":
    case "command":
    case "path":
    case "secret":
    case "profile":
    case "file":
      return text !== "" && text.length <= 4096 && !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(text);
    case "boolean":
    case "negatable":
      return /^(true|false|1|0)$/.test(text);
    case "seconds":
      return /^[1-9]\d{0,5}$/.test(text);
    case "age":
      return /^\d{1,6}$/.test(text);
    case "count":
      return /^[1-9]\d{0,2}$/.test(text);
    case "wholeSeconds":
      return /^\d{1,9}$/.test(text);
    case "port":
      return /^\d{1,5}$/.test(text) && Number(text) < 65_536;
    case "scopes":
      return text.length <= 500 && /^[!#-[\]-~ ]+$/.test(text);
    case "acrValues":
      return /^[\w.:/-]{1,200}$/.test(text);
    case "host":
      return /^(127\.0\.0\.1|localhost|::1)$/.test(text);
    default:
      // The accepted words, `=query|form_post`. What is not known has none.
      return /^\w+$/.test(text) && kind.slice(1).split("|").includes(text) && kind[0] === "=";
  }
}

/** Every option that the environment sets; undefined where the full program has to look. */
export function warmEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const given: Given = {};
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith("LATCHKEY_")) continue;
    const text = environment[variable];
    const flag = variable.slice(9).toLowerCase().replaceAll("_", "-");
    if (!text || variable === "LATCHKEY_ACCESS_TOKEN") continue;
    const kind = variableFlags.includes(` ${flag} `) ? warmKind(flag) : optionKind(flag);
    // One that is not known is worth a warning.
    if (variable !== variable.toUpperCase() || !isUsual(kind, text)) return undefined;
    given[flag] = text;
  }
  return given;
}
