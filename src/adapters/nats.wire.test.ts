// The client's own authenticator, with tokens of a real provider.

import { tokenAuthenticator } from "@nats-io/transport-node";
import { expect, onTestFinished, test } from "vitest";
import { OidcAuth } from "../index.ts";
import { startTestProvider } from "../testing/index.ts";
import { tokenSource } from "./nats.ts";

async function desk() {
  const provider = await startTestProvider();
  onTestFinished(() => provider.close());
  const auth = new OidcAuth(provider.signInOptions());
  onTestFinished(() => auth.close());
  return { provider, auth };
}

test("each connection has the token of that moment, without waiting", async () => {
  const { provider, auth } = await desk();
  const authenticate = tokenAuthenticator(await tokenSource(auth));
  const { token: first } = await auth.getToken();
  expect(authenticate()).toEqual({ auth_token: first });
  provider.endAccessTokens();
  const { token: second } = await auth.getToken({ rejectedToken: first });
  expect(second).not.toBe(first);
  expect(authenticate()).toEqual({ auth_token: second });
});

test("where no token is left it says so, and sends none", async () => {
  const { auth } = await desk();
  const source = await tokenSource(auth);
  await auth.logout();
  expect(source).toThrow(expect.objectContaining({ code: "login_required", reason: "no_token" }));
});
