// A QR code for a terminal, where it fits and can be read.

import { encode } from "uqr";

type Environment = Readonly<Record<string, string | undefined>>;

/** Draws a code; undefined where it does not fit. `rows`: undefined where not known. */
export type QrRenderer = (
  text: string,
  columns: number,
  rows: number | undefined,
) => string | undefined;

// ISO/IEC 18004 wants four light modules around; two are enough for readers, one where there is no room (tested).
const borders = [2, 1] as const;
const blackOnWhite = "\u001b[38;5;16;48;5;231m";
const reset = "\u001b[0m";
const noBlock = " ";
const fullBlock = "█";
const upperHalf = "▀";
const lowerHalf = "▄";

function isUtf8(environment: Environment, platform: NodeJS.Platform): boolean {
  // A Windows console takes UTF-16 from Node, whatever variables say.
  if (platform === "win32") return true;
  const locale = environment["LC_ALL"] || environment["LC_CTYPE"] || environment["LANG"] || "C";
  return /utf-?8/iu.test(locale);
}

/** Two rows of modules in each line, dark ones black on white: to a camera a terminal's theme makes no difference. */
function drawn(modules: readonly (readonly boolean[])[]): string[] {
  return modules
    .filter((_, index) => index % 2 === 0)
    .map((upper, index) => {
      const lower = modules[index * 2 + 1] ?? [];
      const blocks = upper.map((isDark, column) => {
        if (isDark) return lower[column] === true ? fullBlock : upperHalf;
        return lower[column] === true ? lowerHalf : noBlock;
      });
      return `${blackOnWhite}${blocks.join("")}${reset}`;
    });
}

function renderQr(text: string, columns: number, rows: number | undefined): string | undefined {
  for (const border of borders) {
    const { data } = encode(text, { border });
    const fits = data.length <= columns && (rows === undefined || data.length / 2 <= rows);
    if (fits) return drawn(data).join("\n");
  }
  return undefined;
}

/**
 * The way to draw codes here; undefined where a terminal shows no blocks (a locale without UTF-8, TERM=dumb) or is to
 * show no colours (NO_COLOR), without which nobody knows what is dark.
 */
export function qrRenderer(
  environment: Environment,
  platform: NodeJS.Platform,
): QrRenderer | undefined {
  const isPossible =
    isUtf8(environment, platform) && environment["TERM"] !== "dumb" && !environment["NO_COLOR"];
  return isPossible ? renderQr : undefined;
}
