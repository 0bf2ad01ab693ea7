// The environment variables that are not options: what Latchkey knows of them, and what it says of the others.

import { sanitizeProviderText } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { environmentNameOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { grammar } from "./command-grammar.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const prefix = "LATCHKEY_";

function variableOf(flag: string): string {
  return prefix + flag.replaceAll("-", "_").toUpperCase();
}

const flagSpecs = [...grammar.flags.values()].flatMap((each) =>
  each.kind === "command" ? [each.flag] : [],
);
/** Variables in addition to those of options. `LATCHKEY_ACCESS_TOKEN` is what `latchkey exec` hands on. */
const others: readonly string[] = [
  ...flagSpecs.filter(({ variable }) => variable === true).map(({ name }) => variableOf(name)),
  `${prefix}LOG`,
  `${prefix}ACCESS_TOKEN`,
];
const settable: readonly string[] = [
  ...optionTable
    .filter(({ text }) => text === "all" || text === "secret")
    .map((row) => environmentNameOf(row)),
  ...others,
];
// Their flags exist, and so somebody may expect a variable.
const flagsAlone: readonly string[] = [
  ...optionTable.filter(({ text }) => text === "flag").map((row) => environmentNameOf(row)),
  ...flagSpecs
    .filter(({ choosesSignIn, variable }) => choosesSignIn === true && variable !== true)
    .map(({ name }) => variableOf(name)),
];
const maxWarnings = 5;

function warning(name: string): string {
  const shown = sanitizeProviderText(name, 80);
  if (flagsAlone.includes(name)) {
    const flag = name.slice(prefix.length).toLowerCase().replaceAll("_", "-");
    return `Warning: ${shown} is set and does nothing: this is set by the flag --${flag} alone. [unknown_variable]`;
  }
  const withoutPrefix = settable.map((each) => each.slice(prefix.length));
  const nearest = nearestName(name.slice(prefix.length), withoutPrefix);
  const advice =
    nearest === undefined ? "See: latchkey --help" : `Did you mean ${prefix}${nearest}?`;
  return `Warning: Latchkey does not know the variable ${shown}, which is set. ${advice} [unknown_variable]`;
}

/** A line for each variable that looks like one of Latchkey's and is not. An empty one counts as not set. */
export function unknownVariableWarnings(environment: Environment): string[] {
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && Boolean(environment[name]))
    .filter((name) => !settable.includes(name))
    .slice(0, maxWarnings)
    .map(warning);
}
