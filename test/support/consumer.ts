// A program that uses what the package declares, for compilers to check. Changes when the public interface does.

/** Every entry is imported; `entries` are the names of them all. */
export function consumerSource(entries: readonly string[]): string {
  return `${entries.map((entry, at) => `import * as entry${String(at)} from "${entry}";`).join("\n")}
export const all: readonly object[] = [${entries.map((_, at) => `entry${String(at)}`).join(", ")}];

import { BearerTokenAuth, memoryStore, OidcAuth, OidcCredentialsAuth, OidcError } from "latchkey";
import type {
  AccessToken,
  Credential,
  GetTokenOptions,
  OidcAuthOptions,
  PromptEvent,
  StoredRecord,
  TokenStore,
} from "latchkey";
import { startTestProvider, testTokenStore, type TestProvider } from "latchkey/testing";

const options: OidcAuthOptions = {
  issuer: "https://id.example.com",
  clientId: "x",
  scopes: ["openid"],
  callbackPort: [8765, 0],
  onPrompt(event: PromptEvent) {
    if (event.type === "deviceCode") return void event.userCode.toUpperCase();
    if (event.type === "settled") return void event.error?.code;
  },
};
const credentials: readonly Credential[] = [
  new OidcAuth(options),
  new OidcCredentialsAuth({ issuer: "https://id.example.com", clientId: "x", clientSecret: "y" }),
  new BearerTokenAuth({ token: "t" }),
];
const request: GetTokenOptions = { minValiditySeconds: 60, interactive: false };
export async function header(): Promise<string> {
  try {
    const token: AccessToken = await (credentials[0] ?? new OidcAuth()).getToken(request);
    const until: Date | undefined = token.expiresAt;
    return \`\${token.tokenType} \${token.token} \${until?.toISOString() ?? ""}\`;
  } catch (error) {
    if (error instanceof OidcError) return error.code;
    throw error;
  }
}

const inner = memoryStore();
const store: TokenStore = { ...inner, read: async (key): Promise<StoredRecord | undefined> => inner.read(key) };
testTokenStore({
  name: "own",
  test: (title: string, run: () => Promise<void>) => ({ title, run }),
  open: () => ({ store, sameStore: store, close: async () => {} }),
});
export async function signedIn(): Promise<string> {
  const provider: TestProvider = await startTestProvider({ clientSecret: undefined });
  const auth = new OidcAuth({ ...provider.signInOptions(), store });
  const { source } = await auth.getToken();
  await auth.close();
  return source;
}

// @ts-expect-error an unknown option
new OidcAuth({ isuer: "https://id.example.com" });
// @ts-expect-error an access token is read alone
export const spoil = (token: AccessToken): void => void (token.token = "x");
// @ts-expect-error exactly one of three
new BearerTokenAuth({ token: "t", tokenFile: "f", colour: "red" });
// @ts-expect-error no such flow
new OidcAuth({ flow: "password" });
// @ts-expect-error no such endpoint
export const fail = (provider: TestProvider): void => void provider.fail("tokens", "reset");
`;
}
