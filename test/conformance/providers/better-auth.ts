// Changes when the way that npm's better-auth is installed, started or signed in to for the checks does.
import { once } from "node:events";
import { existsSync, rmSync, statSync } from "node:fs";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { makeCertificateAuthority } from "../../support/certificates.ts";
import type { CertificateAuthority } from "../../support/certificates.ts";
import { startCountingProxy } from "../../support/counting-proxy.ts";
import type { CountingProxy } from "../../support/counting-proxy.ts";
import { startProcess, untilItAnswers } from "../child-process.ts";
import type { ProviderProcess } from "../child-process.ts";
import { describePage, PersonOverHttp } from "../person-over-http.ts";
import type { Act, Page, Step } from "../person-over-http.ts";
import type { ProviderDescription, ProviderUnderTest } from "../provider-under-test.ts";

const packageFolder = fileURLToPath(new URL("../better-auth/", import.meta.url));
const alice = { email: "alice@example.test", password: "alice-password" };

/** Its packages refuse each other's versions, so they have a folder and a lockfile of their own. */
async function installPackages(): Promise<void> {
  const installed = join(packageFolder, "node_modules", ".package-lock.json");
  const isInstalled =
    existsSync(installed) &&
    statSync(installed).mtimeMs >= statSync(join(packageFolder, "package-lock.json")).mtimeMs;
  if (isInstalled) return;
  try {
    await promisify(execFile)("npm", ["ci", "--ignore-scripts", "--no-progress"], {
      cwd: packageFolder,
    });
  } catch (error) {
    // Half an installation would look like a whole one to the next run.
    rmSync(join(packageFolder, "node_modules"), { recursive: true, force: true });
    throw error;
  }
}

interface Ready {
  readonly port: number;
  readonly clients: ProviderUnderTest["clients"];
}

/** Its answers name the next page; a redirect, though the request is made by a program in the browser. */
function nextPage(page: Page, origin: string): Step {
  if (page.status >= 300) throw new Error(describePage(page));
  const { url, redirect_uri: redirectUri } = JSON.parse(page.text) as Record<string, unknown>;
  const target = url ?? redirectUri;
  if (typeof target !== "string") throw new Error(`no next page: ${describePage(page)}`);
  return { url: new URL(target, origin).href };
}

/** It has no pages of its own: this calls its API as pages would. */
function actAtSignIn(issuer: string, origin: string, deny: boolean): Act {
  const headers = { origin };
  return async ({ url }, person) => {
    const { pathname, search } = new URL(url);
    const oauth_query = search.slice(1);
    if (pathname === "/login") {
      const json = { ...alice, oauth_query };
      return nextPage(await person.send({ url: `${issuer}/sign-in/email`, json, headers }), origin);
    }
    if (pathname !== "/consent") return undefined;
    const json = { accept: !deny, oauth_query };
    return nextPage(await person.send({ url: `${issuer}/oauth2/consent`, json, headers }), origin);
  };
}

async function launch({ tls }: { tls: boolean }): Promise<ProviderUnderTest> {
  await installPackages();
  let authority: CertificateAuthority | undefined;
  let proxy: CountingProxy | undefined;
  let running: ProviderProcess | undefined;
  const close = async (): Promise<void> => {
    await running?.stop();
    await proxy?.close();
    await authority?.dispose();
  };
  try {
    if (tls) authority = await makeCertificateAuthority();
    else proxy = await startCountingProxy();
    const started = startProcess(
      process.execPath,
      [
        join(packageFolder, "server.mjs"),
        JSON.stringify({
          origin: proxy?.origin,
          certificatePath: authority?.certificatePath,
          keyPath: authority?.keyPath,
          alice,
        }),
      ],
      { folder: packageFolder, channel: true },
    );
    running = started;
    const { child } = running;
    const failed = once(child, "exit").then(() => {
      throw new Error(`better-auth ended before it was ready. It wrote:\n${started.log()}`);
    });
    failed.catch(() => undefined);
    const [ready] = (await Promise.race([once(child, "message"), failed])) as [Ready];
    proxy?.forwardTo(ready.port);
    const origin = proxy?.origin ?? `https://127.0.0.1:${ready.port}`;
    const issuer = `${origin}/api/auth`;
    const discovery = `${issuer}/.well-known/openid-configuration`;
    const trust = { certificateAuthority: authority?.caPem };
    proxy?.learn(JSON.parse(await untilItAnswers(discovery, running, trust)));
    const headers = { origin };
    return {
      issuer,
      ...(authority === undefined
        ? {}
        : { certificateAuthority: { pem: authority.caPem, path: authority.caPath } }),
      clients: ready.clients,
      callbackPort: 0,
      signIn: async (url, { deny = false, rewrite }) => {
        const person = new PersonOverHttp(authority?.caPem);
        const act = actAtSignIn(issuer, origin, deny);
        const { page, isBackAtClient } = await person.browse(url, act, rewrite);
        return { status: page.status, isBackAtClient };
      },
      approveDevice: async ({ userCode }, { deny = false }) => {
        const person = new PersonOverHttp(authority?.caPem);
        await person.sendForJson({ url: `${issuer}/sign-in/email`, json: alice, headers });
        // Asking about a code is what binds it to who asks.
        await person.sendForJson({ url: `${issuer}/device?user_code=${userCode}`, headers });
        const verb = deny ? "deny" : "approve";
        await person.sendForJson({ url: `${issuer}/device/${verb}`, json: { userCode }, headers });
      },
      ...(proxy === undefined ? {} : { requests: proxy }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

export const betterAuth: ProviderDescription = {
  name: "better-auth",
  missing: "",
  facts: {
    scopes: ["openid", "email", "offline_access"],
    iss: "advertised",
    needsPkce: ["public", "confidential"],
    exactPort: false,
    idTokenAlgorithm: "EdDSA",
    tokenType: "Bearer",
    refreshGivesIdToken: true,
    wrongSecretReason: "invalid_client",
    wrongSecretAtRefresh: "told",
    publicRevocation: "yes",
    denial: "page",
    deviceDenial: "page",
    deviceClients: ["public", "confidential"],
    accessTokens: {
      client: "confidential",
      form: "opaque",
      audience: undefined,
      introspection: "yes",
      userinfo: "yes",
    },
    clientCredentialsScopes: ["api"],
    secretInBody: { impossible: "Basic is listed, so it is used" },
  },
  launch,
};
