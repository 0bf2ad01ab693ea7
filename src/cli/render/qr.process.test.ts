// QR codes read by a real reader from what a terminal shows, on dark and light themes.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { needs } from "../../../test/support/debian-packages.ts";
import { qrRenderer } from "./qr.ts";

const reader = needs("zbarimg");
const scale = 6;
const themes = {
  dark: { foreground: 220, background: 20 },
  light: { foreground: 30, background: 250 },
};

/** The grey values of a terminal's screen: each cell is one module wide and two high, with the theme all around. */
function screenOf(text: string, theme: { foreground: number; background: number }): number[][] {
  const margin = 6;
  const rows: number[][] = [];
  const plain = (length: number): number[] => Array.from({ length }, () => theme.background);
  for (const line of text.split("\n")) {
    let { foreground, background } = theme;
    const upper = plain(margin);
    const lower = plain(margin);
    for (const [part] of line.matchAll(/\u001b\[[\d;]*m|./gu)) {
      if (part === "\u001b[38;5;16;48;5;231m") [foreground, background] = [0, 255];
      else if (part === "\u001b[0m") ({ foreground, background } = theme);
      else {
        upper.push("█▀".includes(part) ? foreground : background);
        lower.push("█▄".includes(part) ? foreground : background);
      }
    }
    rows.push([...upper, ...plain(margin)], [...lower, ...plain(margin)]);
  }
  const width = rows[0]?.length ?? 0;
  const around = Array.from({ length: margin }, () => plain(width));
  return [...around, ...rows, ...around];
}

function read(screen: readonly (readonly number[])[]): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-qr-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const pixels = screen.flatMap((row) => {
    const wide = row.flatMap((grey) => Array.from({ length: scale }, () => grey));
    return Array.from({ length: scale }, () => wide);
  });
  const image = join(folder, "screen.pgm");
  const head = `P5 ${pixels[0]?.length ?? 0} ${pixels.length} 255\n`;
  writeFileSync(image, Buffer.concat([Buffer.from(head), Buffer.from(pixels.flat())]));
  return spawnSync(reader.path, ["--raw", "--quiet", image], { encoding: "utf8" }).stdout.trim();
}

const renderQr = qrRenderer({ LANG: "C.UTF-8" }, "linux");
const addresses = [
  "https://id.example.com/device?user_code=WDJB-MJHT",
  `https://login.example.net/tenants/0123456789/oauth2/device?user_code=WDJB-MJHT&locale=en-GB`,
];

test
  .skipIf(!reader.available)
  .for(
    addresses.flatMap((address) =>
      (["dark", "light"] as const).flatMap((theme) =>
        [2, 1].map((border) => ({ address, theme, border })),
      ),
    ),
  )("$address on a $theme theme, border $border [F-U9]", ({ address, theme, border }) => {
  const roomy = renderQr?.(address, 80, undefined) ?? "";
  const rows = roomy.split("\n").length - (border === 2 ? 0 : 1);
  const drawn = renderQr?.(address, 80, rows) ?? "";
  expect(drawn.split("\n")).toHaveLength(rows);
  expect(read(screenOf(drawn, themes[theme]))).toBe(address);
});
