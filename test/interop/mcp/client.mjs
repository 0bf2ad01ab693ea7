// The client under test: the official one, with `createFetch` as its whole authorization. The suite starts it.

import { get } from "node:http";
import { createFetch } from "../../../dist/index.js";

const { Client, StreamableHTTPClientTransport } = await import(process.env["MCP_CLIENT"] ?? "");
const [address = ""] = process.argv.slice(-1);
const { MCP_CONFORMANCE_CONTEXT, MCP_CONFORMANCE_PROTOCOL_VERSION: revision = "2026-07-28" } =
  process.env;
const { client_id: clientId, client_secret: clientSecret } = JSON.parse(
  MCP_CONFORMANCE_CONTEXT ?? "{}",
);

/** Where a page sends the browser on to. @param {string} url @returns {Promise<string | undefined>} */
const visit = (url) =>
  new Promise((resolve, reject) => {
    get(url, (response) => {
      response.resume();
      resolve(response.headers.location);
    }).on("error", reject);
  });

/** The person: says yes to every question, and has a browser. @param {import("../../../dist/index.js").PromptEvent} event */
async function onPrompt(event) {
  if (event.type === "trustQuestion") event.accept();
  if (event.type !== "authorizationUrl") return;
  /** @type {string | undefined} */
  let next = event.url;
  while (next !== undefined) {
    /** @type {string} */
    const url = next;
    const location = await visit(url);
    next = location && new URL(location, url).href;
  }
}

const known = clientId === undefined ? {} : { clientId, clientSecret, registration: "none" };
// Servers of the first revision say nothing of their provider: it is on their own host, and that is configured.
const configured = revision < "2025-06" ? { server: address, issuer: new URL(address).origin } : {};
const fetch = createFetch({
  clientId: "https://conformance-test.local/client-metadata.json",
  registration: "dynamic",
  ...known,
  ...configured,
  openBrowser: false,
  callbackPort: 0,
  onPrompt: (event) => void onPrompt(event),
});

const negotiation = revision < "2026" ? {} : { versionNegotiation: { mode: { pin: revision } } };
const client = new Client({ name: "latchkey", version: "0.1.0" }, negotiation);
await client.connect(new StreamableHTTPClientTransport(new URL(address), { fetch }));
const { tools } = await client.listTools();
for (const { name } of tools) await client.callTool({ name, arguments: {} });
await client.close();
