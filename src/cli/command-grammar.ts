// The grammar of this command line.

import { commandSpecs } from "./commands/specs.ts";
import { createGrammar, type Grammar } from "./grammar.ts";

export const grammar: Grammar = createGrammar(commandSpecs);

/** The commands that there are. */
export const commandNames: readonly string[] = grammar.commands.map(({ path }) => path);
