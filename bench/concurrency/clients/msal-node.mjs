// Changes when msal-node's documentation shows another way. One process that wants a token from `@azure/msal-node`.
//
// As its documentation has it: `getAllAccounts`, `acquireTokenSilent`, and `acquireTokenInteractive` where there is no
// account or an InteractionRequiredAuthError. The cache is the plain file of msal-node-extensions, whose plugin locks
// it across processes. The authority must be https by its rules, and the provider of the bench is not: the endpoints
// come from the documented `authorityMetadata`, which also saves msal-node the request for the discovery document.
import {
  InteractionRequiredAuthError,
  PromptValue,
  ProtocolMode,
  PublicClientApplication,
} from "@azure/msal-node";
import { FilePersistence, PersistenceCachePlugin } from "@azure/msal-node-extensions";
import { join } from "node:path";
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

const { host } = new URL(issuer);
const persistence = await FilePersistence.create(join(folder, "msal-cache.json"));
const application = new PublicClientApplication({
  auth: {
    clientId,
    authority: `https://${host}`,
    knownAuthorities: [host],
    protocolMode: ProtocolMode.OIDC,
    authorityMetadata: JSON.stringify({
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
    }),
  },
  cache: { cachePlugin: new PersistenceCachePlugin(persistence) },
});
const scopes = ["openid", "profile", "email"];

async function signIn() {
  if (mode !== "sign-in") {
    giveUp(needsPerson, "a person has to sign in");
    return;
  }
  const result = await application.acquireTokenInteractive({
    scopes,
    // msal-node always asks for offline_access, also when it refreshes; OpenID Connect grants that with consent alone.
    prompt: PromptValue.CONSENT,
    openBrowser: async (url) => openBrowser(url),
  });
  printToken(result.accessToken);
}

try {
  const [account] = await application.getTokenCache().getAllAccounts();
  if (account === undefined) {
    await signIn();
  } else {
    const forceRefresh = mode === "renew";
    const result = await application.acquireTokenSilent({ account, scopes, forceRefresh });
    printToken(result.accessToken);
  }
} catch (error) {
  if (error instanceof InteractionRequiredAuthError) await signIn();
  else giveUp(1, `${error.errorCode ?? error.name}: ${error.errorMessage ?? error.message}`);
}
