// examples/call-an-api.mjs: call an HTTP API, and try once more where it refuses the token.
import { OidcAuth } from "latchkey";

const auth = new OidcAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "my-app",
  callbackPort: Number(process.env.CALLBACK_PORT ?? 8765),
});

async function callApi(url) {
  const send = (token) => fetch(url, { headers: { authorization: `Bearer ${token}` } });
  const { token } = await auth.getToken();
  const response = await send(token);
  if (response.status !== 401) return response;
  // The API knows better than the clock, for instance after a revocation. Where another caller has
  // renewed the token already, this one gets that token and asks the provider for nothing.
  const renewed = await auth.getToken({ rejectedToken: token });
  return send(renewed.token);
}

const response = await callApi(process.env.API_URL ?? "https://api.example.com/hello");
console.log(`${response.status} ${await response.text()}`);
