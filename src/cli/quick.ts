// The warm start: from arguments to output by the shortest way. Changes when a source of options is added.

import type { Machine } from "../options/paths.ts";
import { cachedTokenText } from "./cached-token.ts";
import { quickArguments } from "./quick-arguments.ts";
import { quickEnvironment } from "./quick-options.ts";
import { quickProfileOf } from "./quick-profile.ts";

/**
 * The whole output for an argument list, or undefined where the full program has to look at it. What it throws means
 * the same: the full program meets the same fault and says so.
 */
export function quickAnswer(argumentList: readonly string[], machine: Machine): string | undefined {
  const read = quickArguments(argumentList);
  const environment = quickEnvironment(machine.environment);
  if (read === undefined || environment === undefined) return undefined;
  const name = read.flags["profile"] ?? machine.environment["LATCHKEY_PROFILE"];
  const profile = name ? quickProfileOf(String(name), machine) : {};
  return (
    profile && cachedTokenText({ ...profile, ...environment, ...read.options }, read.flags, machine)
  );
}
