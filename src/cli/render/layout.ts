// Text laid out for a number of columns. Changes when the look of tables and paragraphs does.

/**
 * Wraps at spaces; a word that is too long (a URL) stays whole, and so does what a no-break space joins. The first line
 * starts at column `used`.
 */
export function wrap(text: string, columns: number, indent = 0, used = 0): string {
  const lines: string[] = [];
  let line = "";
  let room = columns - used;
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > room) {
      lines.push(line);
      line = word;
      room = columns - indent;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  lines.push(line);
  return lines.join(`\n${" ".repeat(indent)}`).replaceAll("\u00a0", " ");
}

/** Names and values, the values in one column. Values that are undefined are left out. */
export function pairs(
  rows: readonly (readonly [name: string, value: string | undefined])[],
  columns: number,
  indent = 0,
): string {
  const known = rows.filter((row): row is readonly [string, string] => row[1] !== undefined);
  const width = Math.max(0, ...known.map(([name]) => name.length)) + 2;
  return known
    .map(([name, value]) => {
      const start = `${" ".repeat(indent)}${name.padEnd(width)}`;
      return `${start}${wrap(value, columns, indent + width, indent + width)}`;
    })
    .join("\n");
}
