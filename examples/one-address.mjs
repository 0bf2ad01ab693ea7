// examples/one-address.mjs: the server's address is all that a program has to be told.
import { OidcAuth } from "latchkey";

const server = process.env.SERVER ?? "https://data.example.com";

// Which provider, as which client and for which scopes: the server says it, once.
const auth = new OidcAuth({
  server,
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
});

const { token, source } = await auth.getToken();
const signIn = await auth.status();
const response = await fetch(`${server}/hello`, { headers: { authorization: `Bearer ${token}` } });

console.log(`source: ${source}, issuer: ${signIn?.issuer}, server: ${signIn?.server}`);
console.log(`${response.status} ${await response.text()}`);
