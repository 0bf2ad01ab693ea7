// Prose laid out for a terminal: the one way in which prompts, errors and help are broken into lines.

/** Columns to wrap prose at; undefined where the output is no terminal. Addresses and commands are never broken. */
export type Columns = number | undefined;

const minColumns = 20;
// Longer lines are hard to read.
const maxColumns = 80;
const usualColumns = 80;

/** The columns for prose on a terminal that says it has `columns`; 0 and undefined are what some say that do not know. */
export function proseColumns(columns: number | undefined): number {
  return Math.min(maxColumns, Math.max(minColumns, columns || usualColumns));
}

/**
 * Wraps prose at single spaces; lines after the first begin with `indent` spaces, and the first one has `used` columns
 * before it. A word that is too long (an address) stays whole, and so does what a no-break space or two spaces join.
 */
export function wrap(text: string, columns: Columns, indent = 0, used = 0): string {
  if (columns === undefined) return text.replaceAll("\u00a0", " ");
  const width = proseColumns(columns);
  const lines: string[] = [];
  let line = "";
  let room = width - used;
  for (const word of text.split(/(?<! ) (?! )/u)) {
    if (line === "") line = word;
    else if (line.length + 1 + word.length <= room) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
      room = width - indent;
    }
  }
  return [...lines, line].join(`\n${" ".repeat(indent)}`).replaceAll("\u00a0", " ");
}

const keptTogether = [
  // A command that is to be typed: broken by us, its first half would run by itself when it is pasted.
  /(?<=: )(?:latchkey|sudo|chmod|chown|rm|mv|kill|ssh|ss|ls|mkdir) .+?(?=\.?$|\.? \[[\w: .-]+\]$|[.;,] [A-Z])/gmu,
  // The code at the end of an error.
  /\[[\w.-]+: [\w.-]+\]$/gmu,
];

/** Lays out whole paragraphs, line by line; their commands and codes stay whole. */
export function layOut(text: string, columns: Columns): string {
  if (columns === undefined) return text;
  const joined = keptTogether.reduce(
    (result, pattern) => result.replace(pattern, (match) => match.replaceAll(" ", "\u00a0")),
    text,
  );
  return joined
    .split("\n")
    .map((line) => {
      const [indent = ""] = /^ */u.exec(line) ?? [];
      return indent + wrap(line.slice(indent.length), columns, indent.length, indent.length);
    })
    .join("\n");
}
