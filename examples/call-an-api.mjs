// examples/call-an-api.mjs: call an HTTP API, with a new token where it refuses the one that there is.
import { OidcAuth } from "latchkey";

const auth = new OidcAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
});

// The standard `fetch`, with a token that is valid now. The API knows better than the clock, for instance after a
// revocation: then the token is renewed and the request sent once more.
const response = await auth.fetch(process.env.API_URL ?? "https://api.example.com/hello");
console.log(`${response.status} ${await response.text()}`);
