// The types of declarations.mjs, for tests.

/** Writes the declarations of src, one file for each. */
export function compileDeclarations(flags?: readonly string[]): void;

/** The statements of a declaration file: the first sentence of what is said of each, and its code without comments. */
export function statementsOf(
  text: string,
): readonly { readonly said: string; readonly code: string }[];
