// examples/test-a-sign-in.mjs: tests of a program that signs in, with nobody present. Run them with: node --test
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { OidcAuth } from "latchkey";
import { startTestProvider } from "latchkey/testing";

const provider = await startTestProvider();
after(() => provider.close());

/** What is tested: asks a server, and once more where it refuses the token. */
async function openOrders(auth, server) {
  const { token } = await auth.getToken();
  if (server(token)) return 12;
  const renewed = await auth.getToken({ rejectedToken: token });
  return server(renewed.token) ? 12 : 0;
}

test("a person signs in once, and a token that the server refuses is renewed", async () => {
  const auth = new OidcAuth(provider.signInOptions());
  assert.equal(await openOrders(auth, provider.accepts), 12);
  // Every access token is refused from here on, as after a revocation.
  provider.endAccessTokens();
  assert.equal(await openOrders(auth, provider.accepts), 12);
  assert.equal(provider.requests().authorization, 1);
  assert.equal(provider.requests().token, 2);
  await auth.close();
});

test("a person who refuses is told so by a code", async () => {
  provider.setPersonAnswer("refuses");
  const auth = new OidcAuth({ ...provider.signInOptions(), forceLogin: true });
  await assert.rejects(openOrders(auth, provider.accepts), { code: "access_denied" });
  await auth.close();
});

test("a provider that is down for a moment costs nobody the sign-in", async () => {
  provider.setPersonAnswer("agrees");
  const auth = new OidcAuth(provider.signInOptions());
  await auth.getToken();
  const mend = provider.fail("token", { status: 503 });
  await assert.rejects(auth.getToken({ forceRefresh: true, interactive: false }));
  mend();
  assert.equal((await auth.getToken({ forceRefresh: true })).source, "refresh");
  await auth.close();
});
