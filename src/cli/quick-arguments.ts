// The argument list of `latchkey token`, fast: a part of what arguments.ts understands, nothing beyond it. Changes when
// that command gains a flag. A test holds it against arguments.ts.

import { quickName, quickOptions, quickValue } from "./quick-options.ts";

/** What was typed, as far as it is all usual. */
export interface QuickArguments {
  readonly options: Record<string, unknown>;
  readonly flags: Record<string, boolean | string>;
}

const switches = /^(json|header|id-token)$/;
const texts = /^(profile|client-secret-file|min-validity-seconds)$/;

function setSwitch(read: QuickArguments, name: string): boolean {
  if (switches.test(name)) {
    read.flags[name] = true;
    return true;
  }
  const isDenied = name.startsWith("no-");
  const positive = isDenied ? name.slice(3) : name;
  if (positive === "interactive") {
    read.flags[positive] = !isDenied;
    return true;
  }
  const option = quickName(positive);
  if (option === undefined || quickOptions.get(option) !== "b") return false;
  read.options[option] = !isDenied;
  return true;
}

function setValue(read: QuickArguments, name: string, typed: string): boolean {
  if (texts.test(name)) {
    if (typed === "" || (name === "min-validity-seconds" && !/^\d{1,9}$/.test(typed))) return false;
    read.flags[name] = typed;
    return true;
  }
  const option = quickName(name);
  const value =
    option === undefined || option === "clientSecret" ? undefined : quickValue(option, typed);
  if (option === undefined || value === undefined) return false;
  read.options[option] = value;
  return true;
}

/** Understands `token` with usual flags; undefined for anything else. */
export function quickArguments(argumentList: readonly string[]): QuickArguments | undefined {
  const read: QuickArguments = { options: {}, flags: {} };
  let isToken = false;
  for (let index = 0; index < argumentList.length; index += 1) {
    const typed = argumentList[index] ?? "";
    if (typed === "token" && !isToken) {
      isToken = true;
      continue;
    }
    if (!typed.startsWith("--")) return undefined;
    const sign = typed.indexOf("=");
    if (sign !== -1) {
      if (!setValue(read, typed.slice(2, sign), typed.slice(sign + 1))) return undefined;
      continue;
    }
    const name = typed.slice(2);
    if (setSwitch(read, name)) continue;
    index += 1;
    const value = argumentList[index];
    if (value === undefined || value.startsWith("-")) return undefined;
    if (!setValue(read, name, value)) return undefined;
  }
  return isToken && !(read.flags["json"] && read.flags["header"]) ? read : undefined;
}
