// The argument list of `latchkey token` for a warm start: a part of what arguments.ts understands, nothing beyond it.
// Changes when the grammar of the command line does. A test holds it against arguments.ts.

import { isUsual, warmKind, type Given } from "./options.ts";

/** Understands `token` with usual flags; undefined for anything else. */
export function warmArguments(argumentList: readonly string[]): Given | undefined {
  const given: Given = {};
  let isToken = false;
  for (let index = 0; index < argumentList.length; index += 1) {
    const typed = argumentList[index] ?? "";
    if (typed === "token" && !isToken) {
      isToken = true;
      continue;
    }
    if (!typed.startsWith("--")) return undefined;
    const sign = typed.indexOf("=");
    const name = sign === -1 ? typed.slice(2) : typed.slice(2, sign);
    const denied = name.startsWith("no-") ? name.slice(3) : name;
    const kind = warmKind(denied);
    const isSwitch = /^(switch|negatable|secret)$/.test(kind);
    if (sign === -1 && (isSwitch || kind === "boolean")) {
      if (kind === "secret" || (denied !== name && kind === "switch")) return undefined;
      given[denied] = String(denied === name);
      continue;
    }
    const text = sign === -1 ? (argumentList[(index += 1)] ?? "-") : typed.slice(sign + 1);
    if (denied !== name || isSwitch || !isUsual(kind, text)) return undefined;
    if (sign === -1 && text.startsWith("-")) return undefined;
    given[name] = text;
  }
  const { json, header, format } = given;
  return isToken && [json, header, format].filter(Boolean).length < 2 ? given : undefined;
}
