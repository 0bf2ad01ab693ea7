// examples/get-a-token.mjs: a token that is valid now, whatever that takes.
import { OidcAuth } from "latchkey";

const auth = new OidcAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
});

// From the cache, by a silent refresh, or after a sign-in in the browser.
const { token, expiresAt, source } = await auth.getToken();

console.log(`source: ${source}, expires: ${expiresAt?.toISOString() ?? "not known"}`);
console.log(`a header to send: Authorization: Bearer ${token.slice(0, 4)}…`);
