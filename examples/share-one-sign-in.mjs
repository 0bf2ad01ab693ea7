// examples/share-one-sign-in.mjs: several parts of a program, one sign-in, no token on the disk.
import { memoryStore, OidcAuth } from "latchkey";

const options = {
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
  // Without this line a file is used, which all programs of the user share in the same way.
  store: memoryStore(),
};

const reports = new OidcAuth(options);
const uploads = new OidcAuth(options);

// Both ask at once: one browser window opens, and both get the token.
const [one, other] = await Promise.all([reports.getToken(), uploads.getToken()]);
console.log(one.token === other.token ? "one sign-in for both" : "two sign-ins");

await reports.logout();
