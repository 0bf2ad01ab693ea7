// A QR code for a terminal, where it fits. Changes when what fits does.

import { renderUnicodeCompact } from "uqr";

/** The code for a text, two rows of it in each line; undefined where it would not fit. `rows`: undefined where not known. */
export function renderQr(
  text: string,
  columns: number,
  rows: number | undefined,
): string | undefined {
  const drawn = renderUnicodeCompact(text, { border: 2 });
  const lines = drawn.split("\n");
  const fits = (lines[0]?.length ?? 0) <= columns && (rows === undefined || lines.length <= rows);
  return fits ? drawn : undefined;
}
