// Changes when openid-client is called in another way. One process that wants a token from a client as one writes it
// in an afternoon: openid-client, and a JSON file without a lock.
import { createServer } from "node:http";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as openid from "openid-client";
import {
  clientId,
  folder,
  giveUp,
  issuer,
  mode,
  needsPerson,
  openBrowser,
  printToken,
} from "./settings.mjs";

const file = join(folder, "tokens.json");

/** @returns {Promise<{ accessToken: string, refreshToken: string, expiresAt: number } | undefined>} */
async function read() {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** @param {{ access_token: string, refresh_token?: string, expiresIn(): number | undefined }} answer @param {string} [before] */
async function keep(answer, before) {
  const tokens = {
    accessToken: answer.access_token,
    refreshToken: answer.refresh_token ?? before,
    expiresAt: Date.now() + (answer.expiresIn() ?? 0) * 1000,
  };
  await writeFile(file, JSON.stringify(tokens), { mode: 0o600 });
  return tokens.accessToken;
}

function discover() {
  return openid.discovery(new URL(issuer), clientId, undefined, openid.None(), {
    execute: [openid.allowInsecureRequests],
  });
}

/** openid-client leaves the browser and the listener to the application. */
async function signIn() {
  const configuration = await discover();
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const redirectUri = `http://127.0.0.1:${listener.address().port}/callback`;
  const verifier = openid.randomPKCECodeVerifier();
  const state = openid.randomState();
  const url = openid.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectUri,
    scope: "openid profile email",
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
  });
  openBrowser(url.href);
  const [request, response] = await once(listener, "request");
  response.end("You can close this window.");
  listener.close();
  const back = new URL(request.url, redirectUri);
  const checks = { pkceCodeVerifier: verifier, expectedState: state };
  return keep(await openid.authorizationCodeGrant(configuration, back, checks));
}

async function getToken() {
  const tokens = await read();
  if (tokens === undefined) {
    if (mode === "sign-in") return signIn();
    giveUp(needsPerson, "a person has to sign in");
    return undefined;
  }
  if (mode !== "renew" && tokens.expiresAt > Date.now() + 60_000) return tokens.accessToken;
  const configuration = await discover();
  return keep(
    await openid.refreshTokenGrant(configuration, tokens.refreshToken),
    tokens.refreshToken,
  );
}

try {
  const token = await getToken();
  if (token !== undefined) printToken(token);
} catch (error) {
  const reason = error.error ?? error.code ?? error.name;
  giveUp(reason === "invalid_grant" ? needsPerson : 1, `${reason}: ${error.message}`);
}
