// Changes with what an authorization response must be.
import { afterEach, expect, test } from "vitest";
import {
  answerTokens,
  cleanUp,
  failureOf,
  makeWorld,
  optionsFor,
  startProvider,
} from "../../test/support/protocol-world.ts";
import { createAuthorizationAttempt } from "./authorization-request.ts";
import { openProvider } from "./metadata.ts";

afterEach(cleanUp);

async function startAttempt(issIsAdvertised = true) {
  const provider = await startProvider();
  if (!issIsAdvertised) {
    provider.tamper({
      path: "discovery",
      respond: async (_request, genuine) => {
        const answer = await genuine();
        const document = JSON.parse(answer.body);
        delete document.authorization_response_iss_parameter_supported;
        return { ...answer, body: JSON.stringify(document) };
      },
    });
  }
  const world = makeWorld();
  const attempt = await createAuthorizationAttempt(
    world,
    await openProvider(world, optionsFor(provider)),
    {
      clientId: provider.clients.public.clientId,
      redirectUri: "http://127.0.0.1:1/callback",
      scopes: undefined,
      pkce: true,
      offlineAccess: false,
    },
  );
  const query = new URL(attempt.url).searchParams;
  answerTokens(provider, { claims: { nonce: query.get("nonce") } });
  const genuine = {
    code: "genuine-code",
    state: query.get("state") ?? "",
    iss: provider.issuer,
  };
  return { provider, attempt, genuine, secrets: [genuine.state, genuine.code] };
}

test("the genuine answer is accepted", async () => {
  const { attempt, genuine } = await startAttempt();
  const answer = await attempt.exchange(new URLSearchParams(genuine));
  expect(answer.claims?.sub).toBe("alice");
});

test.each([
  { iss: "https://evil.example", issIsAdvertised: true },
  { iss: "https://evil.example", issIsAdvertised: false },
  { iss: "ISSUER/", issIsAdvertised: true },
  { iss: "", issIsAdvertised: true },
  { iss: "", issIsAdvertised: false },
])(
  "rejects an answer whose iss is '$iss', advertised: $issIsAdvertised [A03][A04]",
  async ({ iss, issIsAdvertised }) => {
    const { provider, attempt, genuine, secrets } = await startAttempt(issIsAdvertised);
    const parameters = new URLSearchParams({
      ...genuine,
      iss: iss.replace("ISSUER", genuine.iss),
    });
    const error = await failureOf(attempt.exchange(parameters), secrets);
    expect(error).toMatchObject({ code: "callback_invalid", reason: "iss_mismatch" });
    expect(provider.requests().token).toBe(0);
  },
);

test("rejects an answer without iss where the provider promised it [A04]", async () => {
  const { provider, attempt, genuine } = await startAttempt();
  const parameters = new URLSearchParams({ code: genuine.code, state: genuine.state });
  const error = await failureOf(attempt.exchange(parameters));
  expect(error).toMatchObject({ code: "callback_invalid", reason: "iss_missing" });
  expect(provider.requests().token).toBe(0);
});

test("accepts an answer without iss where none was promised [A06]", async () => {
  const { attempt, genuine } = await startAttempt(false);
  const parameters = new URLSearchParams({ code: genuine.code, state: genuine.state });
  expect((await attempt.exchange(parameters)).claims?.sub).toBe("alice");
});

test("an error of another issuer is not shown [A05]", async () => {
  const { attempt, genuine, secrets } = await startAttempt();
  const parameters = new URLSearchParams({
    error: "access_denied",
    error_description: "call +1 555 0100 now",
    state: genuine.state,
    iss: "https://evil.example",
  });
  const error = await failureOf(attempt.exchange(parameters), [
    ...secrets,
    "evil.example",
    "555 0100",
  ]);
  expect(error).toMatchObject({ code: "callback_invalid", reason: "iss_mismatch" });
});

test.each([
  { name: "two codes", add: [["code", "x"]], reason: "repeated_parameter" },
  { name: "two iss", add: [["iss", "x"]], reason: "repeated_parameter" },
  {
    name: "two errors",
    add: [
      ["error", "x"],
      ["error", "y"],
    ],
    reason: "repeated_parameter",
  },
  { name: "two states", add: [["state", "x"]], reason: "repeated_parameter" },
  { name: "code and error", add: [["error", "x"]], reason: "code_and_error" },
  { name: "an access token", add: [["access_token", "x"]], reason: "unexpected_parameter" },
  { name: "an ID token", add: [["id_token", "x"]], reason: "unexpected_parameter" },
  { name: "a JARM response", add: [["response", "x"]], reason: "unexpected_parameter" },
])("rejects $name without a token request [A07]", async ({ add, reason }) => {
  const { provider, attempt, genuine, secrets } = await startAttempt();
  const parameters = new URLSearchParams(genuine);
  for (const [name = "", value = ""] of add) parameters.append(name, value);
  const error = await failureOf(attempt.exchange(parameters), secrets);
  expect(error).toMatchObject({ code: "callback_invalid", reason });
  expect(provider.requests().token).toBe(0);
});

test.each([
  { name: "no code", code: undefined, reason: "code_missing" },
  { name: "an empty code", code: "", reason: "code_missing" },
  { name: "a code with a line break", code: "a\r\nb", reason: "code_invalid" },
  { name: "an endless code", code: "a".repeat(200_000), reason: "code_invalid" },
])("rejects $name [A07][N11]", async ({ code, reason }) => {
  const { provider, attempt, genuine } = await startAttempt();
  const parameters = new URLSearchParams({ state: genuine.state, iss: genuine.iss });
  if (code !== undefined) parameters.set("code", code);
  const error = await failureOf(attempt.exchange(parameters));
  expect(error).toMatchObject({ code: "callback_invalid", reason });
  expect(provider.requests().token).toBe(0);
});

test.each([
  { error: "access_denied", code: "access_denied", reason: undefined },
  { error: "user_cancelled_login", code: "access_denied", reason: undefined },
  { error: "user_cancelled_authorize", code: "access_denied", reason: undefined },
  { error: "invalid_scope", code: "authorization_failed", reason: "invalid_scope" },
  { error: "login_required", code: "authorization_failed", reason: "login_required" },
  { error: "something_new", code: "authorization_failed", reason: undefined },
])("$error becomes $code [A08]", async ({ error, code, reason }) => {
  const { provider, attempt, genuine, secrets } = await startAttempt();
  const parameters = new URLSearchParams({
    error,
    error_description: `no \u001b[31mred\u202e text\r\n for state ${genuine.state}${"!".repeat(5000)}`,
    error_uri: "https://evil.example/",
    state: genuine.state,
    iss: genuine.iss,
  });
  const failure = await failureOf(attempt.exchange(parameters), [...secrets, "evil.example"]);
  expect(failure).toMatchObject({ code, providerError: error });
  expect(failure.reason).toBe(reason);
  expect(failure.providerErrorDescription).toMatch(/^no +\[31mred +text +for state \[redacted\]!/);
  expect(failure.providerErrorDescription?.length).toBeLessThanOrEqual(512);
  expect(failure.message.length).toBeLessThan(800);
  expect(provider.requests().token).toBe(0);
});

test("a refused scope is named as it was asked for, and what the metadata lists [F-U12]", async () => {
  const { attempt, genuine } = await startAttempt();
  const parameters = new URLSearchParams({
    error: "invalid_scope",
    state: genuine.state,
    iss: genuine.iss,
  });
  const { message } = await failureOf(attempt.exchange(parameters));
  expect(message).toMatch(/to this client: openid profile email\. Its metadata lists: .*openid/);
});
