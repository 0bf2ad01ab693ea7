// Changes when the way that npm's oidc-provider is started or its pages are filled in for the checks does.
import { makeCertificateAuthority } from "../../support/certificates.ts";
import { startIdentityProvider } from "../../support/identity-provider.ts";
import { formsOf, linkOn, describePage, PersonOverHttp } from "../person-over-http.ts";
import type { Act, Form, Page, Step } from "../person-over-http.ts";
import type { ProviderDescription, ProviderUnderTest, Visit } from "../provider-under-test.ts";

function submit(form: Form, filled: Readonly<Record<string, string>> = {}): Step {
  return { url: form.action, form: { ...form.fields, ...filled } };
}

/** A page for login or consent has one form with a hidden `prompt`. */
function answerPrompt(page: Page, form: Form, deny: boolean): Step {
  if (deny) {
    const url = linkOn(page, "Cancel");
    if (url === undefined) throw new Error(`no way to cancel: ${describePage(page)}`);
    return { url };
  }
  return submit(form, form.fields["prompt"] === "login" ? { login: "alice", password: "any" } : {});
}

function actAtSignIn(deny: boolean): Act {
  return async (page) => {
    const form = formsOf(page).find(({ fields }) => fields["prompt"] !== undefined);
    return form === undefined ? undefined : answerPrompt(page, form, deny);
  };
}

/** The device pages: the code, then its confirmation; the second one has a button to abort. */
function actAtDevice(userCode: string, deny: boolean): Act {
  return async (page) => {
    const [form] = formsOf(page);
    if (form === undefined) return undefined;
    if (form.fields["prompt"] !== undefined) return answerPrompt(page, form, false);
    if (page.text.includes("interrupted")) return undefined;
    if (!/name="confirm"/.test(page.text)) return submit(form, { user_code: userCode });
    return submit(form, deny ? { abort: "yes" } : { confirm: "yes" });
  };
}

async function launch(
  { tls }: { tls: boolean },
  jwtAccessTokens: boolean,
): Promise<ProviderUnderTest> {
  const authority = tls ? await makeCertificateAuthority() : undefined;
  // The issuer with a path is tried without TLS, the one that is an origin with it.
  const provider = await startIdentityProvider(
    authority === undefined
      ? { issuerPath: "/tenant/a", jwtAccessTokens }
      : { tls: authority, jwtAccessTokens },
  );
  // It names no interval, and the 5 seconds that a client then assumes are long for a test.
  provider.tamper({
    path: "device",
    respond: async (_request, genuine) => {
      const real = await genuine();
      return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), interval: 1 }) };
    },
  });
  const { public: publicClient, confidentialBasic, confidentialPost, noPkce } = provider.clients;
  return {
    issuer: provider.issuer,
    ...(authority === undefined
      ? {}
      : { certificateAuthority: { pem: authority.caPem, path: authority.caPath } }),
    clients: {
      public: publicClient,
      confidential: confidentialBasic,
      confidentialPost,
      confidentialWithoutPkce: noPkce,
    },
    callbackPort: 0,
    listOnlySecretInBody: () =>
      provider.tamper({
        path: "discovery",
        respond: async (_request, genuine) => {
          const real = await genuine();
          const listed = { token_endpoint_auth_methods_supported: ["client_secret_post"] };
          return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), ...listed }) };
        },
      }),
    signIn: async (url, { deny = false, rewrite }: Visit) => {
      const person = new PersonOverHttp(authority?.caPem);
      const { page, isBackAtClient } = await person.browse(url, actAtSignIn(deny), rewrite);
      return { status: page.status, isBackAtClient };
    },
    approveDevice: async ({ verificationUri, userCode }, { deny = false }) => {
      const person = new PersonOverHttp(authority?.caPem);
      await person.browse(verificationUri, actAtDevice(userCode, deny));
    },
    requests: { count: () => provider.requests(), reset: () => provider.resetRequests() },
    close: async () => {
      await provider.close();
      await authority?.dispose();
    },
  };
}

export const oidcProvider: ProviderDescription = {
  name: "oidc-provider",
  missing: "",
  facts: {
    scopes: ["openid", "email"],
    iss: "advertised",
    needsPkce: ["public"],
    exactPort: false,
    idTokenAlgorithm: "RS256",
    tokenType: "Bearer",
    refreshGivesIdToken: true,
    wrongSecretReason: "invalid_client",
    wrongSecretAtRefresh: "told",
    publicRevocation: "yes",
    denial: "page",
    deviceDenial: "page",
    deviceClients: ["public", "confidential"],
    accessTokens: {
      client: "public",
      form: "opaque",
      audience: undefined,
      introspection: "yes",
      userinfo: "yes",
    },
    clientCredentialsScopes: [],
    secretInBody: "yes",
  },
  launch: (options) => launch(options, false),
};

/** The same with access tokens that are JWTs: for resource servers, which it tells nothing else about them. */
export const oidcProviderWithJwts: ProviderDescription = {
  ...oidcProvider,
  name: "oidc-provider, JWTs",
  facts: {
    ...oidcProvider.facts,
    accessTokens: {
      client: "public",
      form: "jwt",
      audience: "urn:demo:api",
      introspection: { impossible: "it answers no questions about JWTs" },
      userinfo: { impossible: "it takes none that are for an API" },
    },
  },
  launch: (options) => launch(options, true),
};
