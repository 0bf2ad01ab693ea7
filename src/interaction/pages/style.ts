// How the pages look: colours, type, and the drawn mark. Changes when the looks do.

/** The colours of one appearance. Every text stands on `background` with a contrast of 7:1 or more. */
export interface Palette {
  readonly background: string;
  readonly heading: string;
  readonly text: string;
  readonly quiet: string;
  readonly done: string;
  readonly notDone: string;
}

/** Colours where the system asks for a light appearance, or for none. */
export const lightPalette: Palette = {
  background: "#faf9f6",
  heading: "#1b1d22",
  text: "#3a3e47",
  quiet: "#4b505b",
  done: "#0d5a45",
  notDone: "#8c2a17",
};

/** Colours where the system asks for a dark appearance. */
export const darkPalette: Palette = {
  background: "#16181c",
  heading: "#f3f2ee",
  text: "#d0d2d8",
  quiet: "#b3b7c0",
  done: "#7fd8b5",
  notDone: "#ffab94",
};

function declare(palette: Palette): string {
  return `--background:${palette.background};--heading:${palette.heading};--text:${palette.text};--quiet:${palette.quiet};--done:${palette.done};--not-done:${palette.notDone}`;
}

/**
 * The one style sheet of all pages: its hash stands in the Content-Security-Policy, so no page may have another.
 * Sizes are in rem, so that a person's own text size counts; nothing moves.
 */
export const styleSheet: string = [
  `:root{color-scheme:light dark;${declare(lightPalette)}}`,
  `@media (prefers-color-scheme:dark){:root{${declare(darkPalette)}}}`,
  "*{box-sizing:border-box;margin:0}",
  "html{-webkit-text-size-adjust:100%;text-size-adjust:100%;background:var(--background);color:var(--text)}",
  "body{display:grid;grid-template-columns:minmax(0,26rem);justify-content:center;align-content:center;min-height:100vh;padding:2rem 1.5rem 14vh;text-align:center;overflow-wrap:anywhere;font:1.125rem/1.6 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}",
  "svg{display:block;width:5rem;height:5rem;margin:0 auto 2rem;fill:var(--quiet)}",
  ".done svg{fill:var(--done)}",
  ".not-done svg{fill:var(--not-done)}",
  "h1{margin-bottom:.75rem;color:var(--heading);font-size:1.75rem;font-weight:600;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}",
  "p{text-wrap:balance}",
  "code{display:inline-block;margin-top:1.25rem;color:var(--quiet);font:.875rem/1.5 ui-monospace,'SF Mono','Cascadia Mono',Consolas,'DejaVu Sans Mono',monospace}",
  "footer{margin-top:2.5rem;color:var(--quiet);font-size:.9375rem}",
  // High contrast of the system: its own colours, and the mark in the colour of text.
  "@media (forced-colors:active){svg,.done svg,.not-done svg{fill:CanvasText}}",
].join("");

/**
 * The mark: a lock's round plate with a keyhole, and the key in it. One path, filled by the even-odd rule: plate,
 * hole, key, eye of the key.
 */
export const markPath: string = [
  "M32 2a30 30 0 1 1 0 60a30 30 0 1 1 0-60z",
  "M32 9a14 14 0 0 1 7.6 25.8l4.7 15.3a2.8 2.8 0 0 1-2.7 3.6h-19.2a2.8 2.8 0 0 1-2.7-3.6l4.7-15.3a14 14 0 0 1 7.6-25.8z",
  "M32 14.5a8.5 8.5 0 0 1 2.25 16.7v4.3h3.25v3.5h-3.25v3h4.25v3.5h-4.25v3.5h-4.5v-17.8a8.5 8.5 0 0 1 2.25-16.7z",
  "M32 19a4 4 0 1 0 0 8a4 4 0 1 0 0-8z",
].join("");
