// Looks at the page where a person would sign in: whether the provider takes the request, and lets the browser come back.

import { isLoopbackHost } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import type { TransportAnswer } from "../core/world.ts";
import { planRedirect } from "../flow/redirect.ts";
import { authorizationParameters, scopesOf } from "../provider/authorization-request.ts";
import type { ProviderMetadata } from "../provider/provider-types.ts";
import { failed, ok, skipped, warning, type Check, type Finding, type Scene } from "./check.ts";

const maxRedirects = 5;
// Nobody listens there: the page is looked at, and no browser comes back.
const anyPort = 49_152;

/** The page that came, or where the provider sent the browser back to. */
type Page = { readonly head: TransportAnswer } | { readonly back: URL };

/** The address that a browser would be sent to, as a sign-in makes it, and where that one comes back to. */
function requestOf(
  { options, randomBytes }: Scene,
  metadata: ProviderMetadata,
  endpoint: string,
): { readonly url: URL; readonly redirect: URL } {
  const plan = planRedirect(options);
  const [port = 0] = plan.ports;
  const host = plan.host.includes(":") ? `[${plan.host}]` : plan.host;
  const redirect = plan.redirectUri(`${host}:${String(port === 0 ? anyPort : port)}`);
  const random = (): string => Buffer.from(randomBytes(32)).toString("base64url");
  const scopes = scopesOf(
    { scopes: options.scopes, offlineAccess: options.offlineAccess },
    metadata,
  );
  const parameters = authorizationParameters(
    {
      clientId: options.clientId,
      clientSecret: undefined,
      redirectUri: redirect,
      scopes: options.scopes,
      audience: options.audience,
      pkce: options.pkce,
      offlineAccess: options.offlineAccess,
      responseMode: options.responseMode,
      extraParameters: options.extraAuthorizationParams,
    },
    {
      state: random(),
      nonce: scopes.includes("openid") ? random() : undefined,
      codeVerifier: options.pkce ? random() : undefined,
      scopes,
    },
    metadata.issuer,
  );
  const url = new URL(endpoint);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  return { url, redirect: new URL(redirect) };
}

function cookiesOf({ rawHeaders = [] }: TransportAnswer, jar: Map<string, string>): void {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== "set-cookie") continue;
    const [, name, value] = /^\s*([^=;\s]+)=([^;]*)/.exec(rawHeaders[index + 1] ?? "") ?? [];
    if (name !== undefined && value !== undefined) jar.set(name, value);
  }
}

/** Asks as a browser would, on the provider's own origin alone. Undefined where it leads elsewhere, or too far. */
async function pageOf(scene: Scene, first: URL, redirect: URL): Promise<Page | undefined> {
  const opener = await scene.requests();
  const jar = new Map<string, string>();
  let url = first;
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const head = await opener.open({
      method: "GET",
      url,
      headers: { accept: "text/html", ...(cookie === "" ? {} : { cookie }) },
      body: undefined,
      step: "sign-in page",
      signal: scene.signal,
    });
    head.discard();
    const next = URL.parse(head.headers["location"] ?? "", url.href);
    if (head.status < 300 || head.status > 399 || next === null) return { head };
    if (next.origin === redirect.origin && next.pathname === redirect.pathname) {
      return { back: next };
    }
    if (next.origin !== first.origin) return undefined;
    cookiesOf(head, jar);
    url = next;
  }
  return undefined;
}

/** Whether one source of a `form-action` lets a form lead to an http: address of this machine. */
function allows(source: string, { hostname, port }: URL): boolean {
  if (source === "*" || source.toLowerCase() === "http:") return true;
  const [, host, itsPort] =
    /^http:\/\/(\[[^\]]+\]|[^:/]+)(?::(\d+|\*))?(?:\/.*)?$/i.exec(source) ?? [];
  if (host === undefined || host.toLowerCase() !== hostname) return false;
  return itsPort === "*" || (itsPort ?? "80") === (port || "80");
}

/**
 * Whether the policies of a page stop Chromium from following the redirect that answers its form: there `form-action`
 * counts for redirects too. @see https://github.com/w3c/webappsec-csp/issues/8
 */
export function blocksReturn(policies: string, redirect: URL): boolean {
  return policies.split(",").some((policy) => {
    const directive = policy
      .split(";")
      .map((each) => each.trim().split(/\s+/))
      .find(([name]) => name?.toLowerCase() === "form-action");
    return (
      directive !== undefined && !directive.slice(1).some((source) => allows(source, redirect))
    );
  });
}

async function look(scene: Scene, judge: (page: Page, redirect: URL) => Finding): Promise<Finding> {
  const { options } = scene;
  if (options.issuer === "" || options.clientId === "") {
    return skipped("Neither a provider nor a client is named.");
  }
  if (options.flow === "device") return skipped("The device flow needs none.");
  let metadata: ProviderMetadata;
  try {
    metadata = await scene.describe();
  } catch {
    return skipped("The provider's document cannot be used, see above.");
  }
  const { authorizationEndpoint, pushedAuthorizationRequired } = metadata;
  if (authorizationEndpoint === undefined) return skipped("The provider has no such page.");
  if (pushedAuthorizationRequired) return skipped("The request would have to be pushed first.");
  const { url, redirect } = requestOf(scene, metadata, authorizationEndpoint);
  const page = await pageOf(scene, url, redirect);
  return page === undefined
    ? skipped("The provider leads on to another one, where nothing was asked.")
    : judge(page, redirect);
}

const maxSeconds = 20;

const redirectUri: Check = {
  name: "redirect-uri",
  area: "provider",
  maxSeconds,
  about: "whether the provider takes a sign-in of this client with this redirect URI",
  run: (scene) =>
    look(scene, (page, redirect) => {
      const uri = redirect.href;
      if ("back" in page) {
        const error = page.back.searchParams.get("error");
        return error === null || error === "login_required" || error === "interaction_required"
          ? ok(`${uri} is accepted.`)
          : failed(
              `The provider accepts ${uri} and refuses the sign-in (${/^[\w.-]{1,64}$/.test(error) ? error : "an error"}).`,
              say`Check ${option("scopes")} and the client's registration.`,
            );
      }
      const { status } = page.head;
      if (status < 400) return ok(`The provider shows its page for ${uri}.`);
      return failed(
        `The provider refuses the client, or ${uri} for it (status ${String(status)}).`,
        say`Check ${option("clientId")}; register the redirect URI exactly, or set ${option("redirectUri")} and ${option("callbackPort")} to a registered one.`,
      );
    }),
};

const formAction: Check = {
  name: "form-action",
  area: "provider",
  maxSeconds,
  about: "a Content-Security-Policy of the provider's page that keeps Chromium from coming back",
  run: (scene) =>
    look(scene, (page, redirect) => {
      if (!("head" in page) || page.head.status >= 400) return skipped("No page was shown.");
      if (redirect.protocol !== "http:" || !isLoopbackHost(redirect.hostname)) {
        return skipped("The redirect URI is no address of this machine.");
      }
      const policies = page.head.headers["content-security-policy"];
      if (policies === undefined || !blocksReturn(policies, redirect)) {
        return ok("The page lets the browser come back.");
      }
      return warning(
        `The page's Content-Security-Policy (form-action) does not allow ${redirect.origin}: Chromium and its like stop after the password, and Firefox goes on.`,
        say`Ask the provider's administrator to add http://127.0.0.1:* to it; until then use another browser (${option("browserCommand")}) or ${option("flow", "device")}.`,
      );
    }),
};

/** The page where a person signs in. */
export const pageChecks: readonly Check[] = [redirectUri, formAction];
