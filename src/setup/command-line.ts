// A command as it stands in a configuration that splits it at spaces.

/** Words with double quotes where one holds a space. */
export function commandText(words: readonly string[]): string {
  return words.map((word) => (/^[\w./:=@%+,-]+$/.test(word) ? word : `"${word}"`)).join(" ");
}
