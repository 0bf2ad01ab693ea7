// Changes when the provider's pages do, or the ways back to a client. browser.mjs LOG URL: notes in LOG that a window
// was opened, and signs in as alice. Beside the project's own stand-in browser because msal-node takes the provider's
// answer as a form that a page sends by itself (form_post), which that one does not do.
import { appendFileSync } from "node:fs";
import { request } from "node:http";

const [log = "", address = ""] = process.argv.slice(2);
// First, so that a window counts even where the sign-in in it fails.
appendFileSync(log, "window\n");

let providerOrigin = new URL(address).origin;
/** @type {Map<string, string>} */
const cookies = new Map();

/** @param {string} url @param {string} [form] @returns {Promise<{ url: string, location?: string, text: string }>} */
function send(url, form) {
  const isProvider = new URL(url).origin === providerOrigin;
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  const headers = {
    connection: "close",
    ...(isProvider && cookie !== "" ? { cookie } : {}),
    ...(form === undefined
      ? {}
      : {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(Buffer.byteLength(form)),
        }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: form === undefined ? "GET" : "POST", headers, agent: false },
      (incoming) => {
        for (const line of incoming.headers["set-cookie"] ?? []) {
          const [pair = ""] = line.split(";");
          cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
        }
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk) => {
          text += chunk;
        });
        incoming.on("error", reject);
        incoming.on("end", () => {
          const { location } = incoming.headers;
          resolve({ url, text, ...(location === undefined ? {} : { location }) });
        });
      },
    );
    outgoing.on("error", reject);
    outgoing.end(form);
  });
}

/** @param {string} tag @param {string} name */
const attribute = (tag, name) =>
  new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1]?.replaceAll("&amp;", "&");

/** The only form of a page, filled in. @param {{ url: string, text: string }} page */
function fillIn({ url, text }) {
  const [, head = "", inside = ""] = /(<form\b[^>]*>)([\s\S]*?)<\/form>/i.exec(text) ?? [];
  if (head === "") throw new Error(`a page without a form at ${new URL(url).pathname}`);
  const fields = [...inside.matchAll(/<input\b[^>]*>/gi)].map(([tag]) => [
    attribute(tag, "name") ?? "",
    attribute(tag, "value") ?? "",
  ]);
  const filled = Object.fromEntries(fields);
  if (filled.prompt === "login") Object.assign(filled, { login: "alice", password: "any" });
  delete filled[""];
  const action = new URL(attribute(head, "action") ?? "", url).href;
  return { action, body: new URLSearchParams(filled).toString() };
}

let page = await send(address);
// Latchkey's browser gets an address of Latchkey's own, which leads on to the provider's page.
providerOrigin = new URL(page.location ?? address, address).origin;
for (let steps = 0; steps < 30; steps += 1) {
  if (page.location !== undefined) {
    page = await send(new URL(page.location, page.url).href);
  } else if (new URL(page.url).origin === providerOrigin) {
    const { action, body } = fillIn(page);
    page = await send(action, body);
  } else {
    process.exit(0);
  }
}
throw new Error("no end of the sign-in after 30 steps");
