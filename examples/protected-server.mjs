// examples/protected-server.mjs: a server with a route for whoever has a token, a page that says who that is, and a health check.
//
// ISSUER: the provider. CLIENT_ID: the client that people sign in with. PORT, and ADDRESS: how people reach this server.
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createResourceServer, expressMiddleware } from "latchkey/server";

const { ISSUER = "", CLIENT_ID = "", PORT = "8080" } = process.env;
const { ADDRESS = `http://127.0.0.1:${PORT}` } = process.env;

const resourceServer = createResourceServer({
  issuer: ISSUER,
  // Tokens for other servers are not good for this one, and its own are good nowhere else.
  audience: ADDRESS,
  resource: ADDRESS,
  // People need this server's address alone: it says where to sign in, and as which client.
  clientId: CLIENT_ID,
  scopes: ["openid", "profile"],
  groupsClaim: "groups",
  onEvent(event) {
    // Why a token was refused is for this log; whoever sent it learns that it was, and no more.
    if (event.type === "refused") console.error(`refused: ${event.code} ${event.reason ?? ""}`);
  },
});
const guard = expressMiddleware(resourceServer);

const style = `
  :root { color-scheme: light dark; --back: #faf9f6; --text: #3a3e47; --strong: #1b1d22; }
  @media (prefers-color-scheme: dark) {
    :root { --back: #16181c; --text: #d0d2d8; --strong: #f3f2ee; }
  }
  body { max-width: 32rem; margin: 12vh auto; padding: 0 1.5rem; background: var(--back);
    color: var(--text); font: 1.125rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
  h1 { color: var(--strong); font-size: 1.75rem; line-height: 1.25; }
  dt { margin-top: 1rem; font-size: 0.9375rem; }
  dd { margin: 0; color: var(--strong); }`;
const styleHash = createHash("sha256").update(style).digest("base64");

/** What stands in a token was typed by somebody: none of it becomes markup. */
const escaped = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

function page({ username, claims, issuer, groups, scopes, expiresAt }) {
  const rows = {
    "Signed in at": issuer,
    Groups: groups.join(", ") || "none",
    Scopes: scopes.join(" ") || "none",
    "The token is good until": expiresAt.toISOString(),
  };
  const list = Object.entries(rows).map(([name, value]) => `<dt>${name}<dd>${escaped(value)}`);
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Who is signed in</title><style>${style}</style>
<h1>Hello, ${escaped(String(claims.name ?? username))}.</h1><dl>${list.join("")}</dl></html>`;
}

const pages = {
  "/": {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; frame-ancestors 'none'`,
    body: page,
  },
  "/hello": { "content-type": "text/plain", body: ({ username }) => `Hello, ${username}.\n` },
};

/** For whoever restarts servers: whether keys can be had, and nothing about anybody. */
async function tellHealth(response) {
  const { ok, checks } = await resourceServer.health();
  response.writeHead(ok ? 200 : 503, { "content-type": "application/json" });
  response.end(JSON.stringify({ ok, checks }));
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? "/", ADDRESS);
  if (pathname === "/health") {
    void tellHealth(response);
    return;
  }
  guard(request, response, (fault) => {
    const { body, ...headers } = pages[pathname] ?? {};
    const status = fault === undefined ? (body === undefined ? 404 : 200) : 500;
    response.writeHead(status, { ...headers, "cache-control": "no-store" });
    response.end(status === 200 ? body(request.identity) : "");
  });
});
server.listen(Number(PORT), "127.0.0.1", () => console.log(ADDRESS));
