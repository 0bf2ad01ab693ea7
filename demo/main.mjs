// Changes when the demo tells another story: a sign-in, a renewal and a cached token, against real parts.
// `npm run demo` builds the package first, and this file imports what an installed package would give.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isOidcError, OidcAuth } from "latchkey";
import { connect } from "latchkey/grpc";
import { Greeter, startGrpcServer } from "./grpc-server.mjs";
import { startProtectedServer } from "./protected-server.mjs";
import { clientId, startProvider } from "./provider.mjs";
import { assertRequests, describeRequests } from "./request-count.mjs";
import { signIn } from "./stand-in-browser.mjs";

const demoUser = "alice";

/** @param {string} text */
const say = (text) => console.log(text);
let chapters = 0;
/** @param {string} title */
const chapter = (title) => say(`\n${(chapters += 1)}  ${title}`);
/** @param {string} text */
const detail = (text) => say(`   ${text}`);

/**
 * Everything that Latchkey remembers goes into a folder of the demo's own, and away with it. `cachePath` is for the
 * tokens alone; the environment names the place of the rest.
 */
function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-demo-"));
  const variables = { darwin: "HOME", win32: "LOCALAPPDATA" };
  process.env[variables[process.platform] ?? "XDG_STATE_HOME"] = folder;
  return folder;
}

/** Shows the sign-in's address, and plays the person where no browser can be opened. @param {AbortSignal} signal */
function makePrompt(signal) {
  /** @type {Promise<unknown>} */
  let visit = Promise.resolve();
  let visits = 0;
  return {
    /** Ends when the stand-in browser has seen its last page; rejects with what stopped it. */
    visited: () => visit,
    /** @param {import("latchkey").PromptEvent} event */
    onPrompt: (event) => {
      if (event.type === "warning") detail(`Warning: ${event.message}`);
      if (event.type !== "authorizationUrl") return;
      visits += 1;
      if (visits > 1 && !event.browserOpened) {
        detail("The stand-in browser signs in once more.");
      } else if (event.browserOpened) {
        detail("Your browser opens. Any name and password will do. If nothing opens, visit:");
      } else {
        detail(`No browser here (${event.browserProblem ?? "continuous integration"}).`);
        detail(`So the demo signs in as ${demoUser} by itself: a stand-in browser fills in the`);
        detail("provider's pages. All that it knows is this address:");
      }
      if (visits === 1 || event.browserOpened) say(`\n${event.url}\n`);
      if (event.browserOpened) return;
      visit = signIn(event.url, { login: demoUser, signal });
      visit.catch(() => event.cancel());
    },
  };
}

/** @param {string} url @param {import("latchkey").AccessToken} [accessToken] */
async function call(url, accessToken) {
  const headers = accessToken === undefined ? {} : { authorization: `Bearer ${accessToken.token}` };
  const response = await fetch(url, { headers });
  // The rest of it is an address, at which Latchkey asks.
  const [challenge] = response.headers.get("www-authenticate")?.split(" ") ?? [];
  const said = await response.text();
  detail(
    `The server says: ${response.status} ${response.ok ? said : response.statusText}` +
      (challenge === undefined ? "" : `  (WWW-Authenticate: ${challenge} …)`),
  );
  return response.status;
}

/** @param {string | number} expected @param {string | number} found @param {string} what */
function assertSame(expected, found, what) {
  if (expected !== found) throw new Error(`${what} should be ${expected}, and it is ${found}`);
}

/**
 * @param {import("./provider.d.mts").DemoProvider} provider
 * @param {import("./protected-server.d.mts").ProtectedServer} server
 * @param {string} grpcAddress
 * @param {string} folder
 * @param {AbortSignal} signal
 */
async function tell(provider, { address, url }, grpcAddress, folder, signal) {
  /** What only the provider can know: what it was asked for. @param {readonly string[]} expected */
  const expectRequests = (expected) => {
    const counted = provider.takeRequests();
    assertRequests(expected, counted);
    detail(`The provider's log: ${describeRequests(counted)}.`);
  };

  chapter("An OpenID Provider and two protected servers run on this machine.");
  detail(`Provider  ${provider.issuer}`);
  detail(`Servers   ${address}  ${grpcAddress}`);
  detail("The first one has fetched the provider's keys, to verify tokens with.");
  expectRequests(["keys"]);

  chapter("A call without a token is refused.");
  assertSame(401, await call(url), "the status");

  chapter("Latchkey signs in. All that it is told is the server's address.");
  const prompt = makePrompt(signal);
  const shared = {
    callbackPort: 0,
    // Nobody looks at the browser of a build server.
    openBrowser: process.env["CI"] !== "true",
    cachePath: join(folder, "tokens.json"),
    onPrompt: prompt.onPrompt,
  };
  const options = { ...shared, server: address, offlineAccess: true };
  const auth = new OidcAuth(options);
  const first = await auth.getToken({ signal }).catch(async (/** @type {unknown} */ error) => {
    // Where the stand-in browser is what failed, its error says more.
    await prompt.visited();
    throw error;
  });
  await prompt.visited();
  assertSame("login", first.source, "the token's source");
  detail("The server named the provider, the client and the scopes.");
  detail(`Signed in as ${String(first.claims?.["name"])} at ${String(first.claims?.iss)}.`);
  expectRequests(["discovery", "keys", "token"]);
  assertSame(200, await call(url, first), "the status");

  chapter("The token is renewed without a browser, as it is whenever it has expired.");
  const renewed = await auth.getToken({ rejectedToken: first.token, interactive: false, signal });
  assertSame("refresh", renewed.source, "the token's source");
  expectRequests(["token"]);
  assertSame(200, await call(url, renewed), "the status");

  chapter("The other server speaks gRPC. Its address is all that a client gives.");
  const connection = await connect(grpcAddress, {
    auth: new OidcAuth({ ...shared, useServerAudience: true }),
  });
  try {
    const greeting = await connection.client(Greeter).hello();
    await prompt.visited();
    expectRequests(["discovery", "keys", "token", "discovery", "keys"]);
    detail("The last two are the server's own: it verifies the token.");
    detail(`The gRPC server says: ${greeting}`);
  } finally {
    await connection.close();
  }

  chapter("The provider stops. A new OidcAuth, as in another program, has a token still.");
  await provider.close();
  const cached = await new OidcAuth(options).getToken({ interactive: false, signal });
  assertSame("cache", cached.source, "the token's source");
  detail("It comes from the cache.");
  expectRequests([]);
  assertSame(200, await call(url, cached), "the status");
}

/** @param {unknown} error @param {AbortSignal} signal */
function whatHappened(error, signal) {
  if (signal.aborted) return "Stopped before it was done.";
  const message = error instanceof Error ? error.message : String(error);
  return `The demo did not go as it should: ${message}${isOidcError(error) ? ` [${error.code}]` : ""}`;
}

async function main() {
  const startedAt = performance.now();
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  process.once("SIGTERM", () => interrupted.abort());
  const folder = makeFolder();
  try {
    const provider = await startProvider();
    try {
      const server = await startProtectedServer({ issuer: provider.issuer, clientId });
      const grpcServer = await startGrpcServer({ issuer: provider.issuer, clientId });
      try {
        say("Latchkey: sign in once, and have a token that is always valid.");
        await tell(provider, server, grpcServer.address, folder, interrupted.signal);
      } finally {
        grpcServer.close();
        await server.close();
      }
    } finally {
      await provider.close();
    }
  } catch (error) {
    process.exitCode = interrupted.signal.aborted ? 130 : 1;
    console.error(`\n${whatHappened(error, interrupted.signal)}`);
    return;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  say(`\nDone in ${seconds} s. Everything has stopped, and nothing was left behind.`);
  say("Your own provider next: see README.md.");
}

await main();
