// What every page promises, whatever its state. Changes when a page's promise or wording does.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { Page } from "./page.ts";
import {
  finishingPage,
  nothingHerePage,
  otherSignInPage,
  outcomePage,
  tooMuchPage,
} from "./states.ts";
import { darkPalette, lightPalette, markPath, styleSheet } from "./style.ts";
import type { Palette } from "./style.ts";

const hostileName = `<img src=x onerror=alert(1)>"'&`;

const pages: readonly Page[] = [
  finishingPage(hostileName, 1),
  outcomePage({ kind: "done" }, hostileName),
  outcomePage({ kind: "refused" }, hostileName),
  outcomePage({ kind: "failed", code: "callback_invalid" }, hostileName),
  otherSignInPage(),
  tooMuchPage(),
  nothingHerePage(404),
];

function relativeLuminance(colour: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = channels.map((channel) =>
    channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [relativeLuminance(one), relativeLuminance(other)].toSorted(
    (a, b) => a - b,
  );
  return (light + 0.05) / (dark + 0.05);
}

test.for<[string, Palette]>([
  ["light", lightPalette],
  ["dark", darkPalette],
])("every colour of the %s appearance has a contrast of 7:1 or more", ([, palette]) => {
  const { background, ...inks } = palette;
  for (const ink of Object.values(inks)) {
    expect(contrast(ink, background)).toBeGreaterThanOrEqual(7);
  }
});

test("the style sheet has no colour beside the palettes, nothing that moves and nothing from elsewhere", () => {
  const colours: string[] = [...Object.values(lightPalette), ...Object.values(darkPalette)];
  expect(new Set(styleSheet.match(/#[0-9a-f]{3,8}\b/giu))).toEqual(new Set(colours));
  expect(styleSheet).not.toMatch(/rgb|hsl|opacity|animation|transition|transform|url\(|@import/iu);
});

test("the mark is one path of numbers", () => {
  expect(markPath).toMatch(/^[MahlvzHVL\d. -]+$/u);
});

test("every page carries the security headers, and its style's own hash [L14]", () => {
  for (const { headers, html } of pages) {
    const style = /<style>(.*?)<\/style>/su.exec(html)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers).toMatchObject({
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
    });
    expect(Object.keys(headers).filter((name) => /access-control/iu.test(name))).toEqual([]);
  }
});

test("an application's name is text on the page, whatever is in it [L14]", () => {
  for (const { html } of pages.slice(0, 4)) {
    expect(html).toContain("&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&amp;");
    expect(html).not.toContain("<img");
  }
});

test("a very long name is cut, an empty one leaves nothing behind", () => {
  expect(outcomePage({ kind: "done" }, "n".repeat(500)).html).toContain(`>${"n".repeat(60)}…<`);
  expect(outcomePage({ kind: "done" }, "  ").html).not.toContain("<footer>");
  expect(outcomePage({ kind: "done" }, undefined).html).not.toContain("<footer>");
});

test("a failed page shows a code that is one of ours in shape, and nothing else [L14]", () => {
  const shown = (code: string): string => outcomePage({ kind: "failed", code }, undefined).html;
  expect(shown("id_token_invalid: id_token_aud")).toContain(
    "<code>id_token_invalid: id_token_aud</code>",
  );
  for (const code of ["<b>x</b>", "The user said no", "a".repeat(200), "", "x\ny"]) {
    expect(shown(code)).not.toContain("<code>");
  }
});

test("every page is whole: language, title, status, no script, no link to anywhere", () => {
  for (const { html } of pages) {
    expect(html).toMatch(/^<!doctype html>\n<html lang="en"/u);
    expect(html.match(/role="status"/gu)).toHaveLength(1);
    expect(html).not.toMatch(/<[^>]*(?:script|\son\w+=|href=|src=)/u);
  }
});

test("the words are those of the design", () => {
  const words = pages.map(({ status, html }) => [
    status,
    /<title>(.*?)<\/title>/u.exec(html)?.[1],
    /<h1>(.*?)<\/h1>/u.exec(html)?.[1],
    /<p>(.*?)<\/p>/u.exec(html)?.[1],
  ]);
  expect(words).toEqual([
    [200, "Finishing…", "Finishing sign-in", "This takes a moment."],
    [200, "Signed in", "You are signed in", "Close this tab and go back to where you started."],
    [
      200,
      "Not signed in",
      "Sign-in was refused",
      "Nothing was changed. Run the command again if this was a mistake.",
    ],
    [200, "Not signed in", "Sign-in did not finish", "Where you started it says what to do."],
    [
      400,
      "Not this one",
      "This page belongs to another sign-in",
      "If you started one, look for its newest tab.",
    ],
    [
      431,
      "Not signed in",
      "The browser sent too much",
      "It has many cookies of other programs for this address. Delete them, and start the sign-in again.",
    ],
    [404, "Nothing here", "Nothing here", undefined],
  ]);
});

test("the page of a sign-in that is done names the provider, and every page has a heading [F-U17]", () => {
  const { html } = outcomePage({ kind: "done" }, undefined, "id.example.com:8443");
  expect(html).toContain(
    "<p>This was the sign-in at id.example.com:8443. Close this tab and go back to where you started.</p>",
  );
  for (const page of pages) expect(page.html.match(/<h1>/gu)).toHaveLength(1);
});
