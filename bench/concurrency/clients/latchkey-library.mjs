// Changes when the library is called in another way. One process that wants a token from Latchkey's `getToken()`.
import {
  browserCommand,
  clientId,
  giveUp,
  issuer,
  mode,
  needsPerson,
  printToken,
} from "./settings.mjs";

const { isOidcError, OidcAuth } = await import(process.env["BENCH_LATCHKEY"] ?? "latchkey");

const auth = new OidcAuth({
  issuer,
  clientId,
  callbackPort: 0,
  browserCommand,
  onPrompt: () => {},
});

try {
  const { token } = await auth.getToken({
    interactive: mode === "sign-in",
    forceRefresh: mode === "renew",
  });
  printToken(token);
} catch (error) {
  if (!isOidcError(error)) throw error;
  giveUp(error.code === "login_required" ? needsPerson : 1, `${error.code}: ${error.message}`);
}
