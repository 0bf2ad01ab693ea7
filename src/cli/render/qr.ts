// A QR code for a terminal, where it fits. Changes when what fits does.

import { renderUnicodeCompact } from "uqr";

/** Lines that the prompt around the code needs. */
const linesBeside = 14;

/** The code for a text, two rows of it in each line; undefined where it would not fit. */
export function renderQr(
  text: string,
  columns: number,
  rows: number | undefined = process.stderr.rows,
): string | undefined {
  const drawn = renderUnicodeCompact(text, { border: 2 });
  const lines = drawn.split("\n");
  const fits =
    (lines[0]?.length ?? 0) <= columns &&
    (rows === undefined || lines.length + linesBeside <= rows);
  return fits ? drawn : undefined;
}
