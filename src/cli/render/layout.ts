// Tables laid out for a number of columns.

import { wrap } from "../../interaction/layout.ts";

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
