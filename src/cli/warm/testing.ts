// What the tests of the warm readers share: random choices that are the same in every run, and the full program's view.

import { isOidcError } from "../../core/errors.ts";
import { parseOptionText } from "../../options/parse-text.ts";
import { flagOf } from "../../options/row.ts";
import { optionTable } from "../../options/table.ts";
import type { Given } from "./options.ts";

/** What text that was taken quickly means, by the rules of the full program. */
export function meaningOf(given: Given): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(given).flatMap(([flag, text]) => {
      const row = optionTable.find((each) => flagOf(each) === flag);
      return row === undefined ? [] : [[row.name, parseOptionText(row, text, flag)]];
    }),
  );
}

/** Numbers that look random and are the same in every run. */
export function sequence(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** One of several. */
export function pick<Item>(items: readonly Item[], next: (below: number) => number): Item {
  const item = items[next(items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

/** What an action gives, or that it was refused as the command line refuses things. */
export function refusedOr<Value>(action: () => Value): Value | "refused" {
  try {
    return action();
  } catch (error) {
    if (isOidcError(error)) return "refused";
    throw error;
  }
}
