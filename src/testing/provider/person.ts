// The person's browser at the test provider: follows an address to its end. Changes when the way of a sign-in does.

import type { IncomingMessage } from "node:http";
import { isLoopbackHost } from "../../core/hosts.ts";

/** What a page was answered with. */
interface Page {
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

interface Step {
  readonly url: string;
  /** Posts this form; undefined: a GET. */
  readonly body?: string;
}

// Start address, authorization, callback, result: a way that is longer leads nowhere.
const maxSteps = 10;

async function readPage(incoming: IncomingMessage): Promise<Page> {
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  return { status: incoming.statusCode ?? 0, location: incoming.headers.location, text };
}

/** One request of a browser, on this machine alone. */
async function request(step: Step): Promise<Page> {
  const { protocol, hostname } = new URL(step.url);
  if (protocol !== "http:" || !isLoopbackHost(hostname)) {
    throw new Error(`the test provider's browser was sent away from this machine: ${hostname}`);
  }
  const http = await import("node:http");
  return new Promise((resolve, reject) => {
    const outgoing = http.request(
      step.url,
      {
        method: step.body === undefined ? "GET" : "POST",
        agent: false,
        headers: {
          accept: "text/html",
          ...(step.body === undefined
            ? {}
            : {
                "content-type": "application/x-www-form-urlencoded",
                "content-length": String(Buffer.byteLength(step.body)),
              }),
        },
      },
      (incoming) => {
        readPage(incoming).then(resolve, reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(step.body);
  });
}

/** A text as an attribute of a page. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
}

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

/**
 * The page whose form a browser sends on to the client by itself.
 * @see OAuth 2.0 Form Post Response Mode, section 2
 */
export function formPage(action: string, members: URLSearchParams): string {
  const fields = [...members].map(
    ([name, value]) => `<input type="hidden" name="${escaped(name)}" value="${escaped(value)}">`,
  );
  return `<!doctype html><form method="post" action="${escaped(action)}">${fields.join("")}</form>`;
}

/** What a browser does with {@link formPage}; undefined for any other page. */
function submitted(text: string): Step | undefined {
  const action = /<form method="post" action="([^"]*)">/.exec(text)?.[1];
  if (action === undefined) return undefined;
  const fields = [...text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)];
  const members = new URLSearchParams();
  for (const [, name = "", value = ""] of fields) members.append(unescaped(name), unescaped(value));
  return { url: unescaped(action), body: members.toString() };
}

/**
 * Opens an address and follows it to its end.
 * @throws {Error} for an address beyond this machine, and where the provider at `issuer` shows an error.
 */
export async function browse(url: string, issuer: string): Promise<void> {
  let step: Step = { url };
  for (let steps = 0; steps < maxSteps; steps += 1) {
    const page = await request(step);
    const isProvider = step.url.startsWith(`${issuer}/`);
    if (isProvider && page.status >= 400) {
      throw new Error(`the test provider shows ${String(page.status)}: ${page.text}`);
    }
    const next: Step | undefined =
      page.location === undefined
        ? isProvider
          ? submitted(page.text)
          : undefined
        : { url: new URL(page.location, step.url).href };
    if (next === undefined) return;
    step = next;
  }
  throw new Error(`no end after ${String(maxSteps)} pages`);
}
