// The frame that every page shares: document, escaping and response headers. Changes when all pages change.

import { createHash } from "node:crypto";
import { sanitizeProviderText } from "../../core/errors.ts";
import { markPath, styleSheet } from "./style.ts";

/** A whole answer to a browser. */
export interface Page {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
}

/** What differs from page to page. All of it is text; {@link renderPage} escapes it. */
export interface PageContent {
  readonly status: number;
  readonly title: string;
  readonly heading: string;
  /** Without one the page is its heading alone, and without the mark. */
  readonly text?: string;
  /** A stable string for whoever looks for help. */
  readonly code?: string;
  readonly mood: "neutral" | "done" | "not-done";
  /** Name of the embedding application. */
  readonly applicationName?: string | undefined;
  /** The browser asks again after so many seconds. */
  readonly refreshSeconds?: number;
}

const maxApplicationName = 60;

const styleHash = createHash("sha256").update(styleSheet).digest("base64");

// `style-src` by hash and nothing else: a page that were tricked into holding markup could load, run and send nothing.
const securityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** Text made safe for HTML, in elements and in quoted attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** A page from its words. */
export function renderPage(content: PageContent): Page {
  const heading = `<h1>${escapeHtml(content.heading)}</h1>`;
  const text = content.text === undefined ? "" : `<p>${escapeHtml(content.text)}</p>`;
  const code = content.code === undefined ? "" : `<p><code>${escapeHtml(content.code)}</code></p>`;
  const mark =
    content.text === undefined
      ? ""
      : `<svg viewBox="0 0 64 64" aria-hidden="true" focusable="false"><path fill-rule="evenodd" d="${markPath}"/></svg>`;
  // An option, but often made from a file name or a title: its controls are not for a page either.
  const name = sanitizeProviderText(content.applicationName ?? "", maxApplicationName);
  const footer = name ? `<footer>${escapeHtml(name)}</footer>` : "";
  return {
    status: content.status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": securityPolicy,
      "X-Content-Type-Options": "nosniff",
      "Cache-Control": "no-store",
      "Referrer-Policy": "no-referrer",
      ...(content.refreshSeconds === undefined ? {} : { Refresh: String(content.refreshSeconds) }),
    },
    html: [
      "<!doctype html>",
      `<html lang="en" class="${content.mood}">`,
      "<head>",
      '<meta charset="utf-8">',
      '<meta name="viewport" content="width=device-width, initial-scale=1">',
      `<title>${escapeHtml(content.title)}</title>`,
      `<style>${styleSheet}</style>`,
      "</head>",
      "<body>",
      `<main>${mark}<div role="status">${heading}${text}${code}</div></main>`,
      footer,
      "</body>",
      "</html>",
      "",
    ].join("\n"),
  };
}
