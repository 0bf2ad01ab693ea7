// What real providers answer, as a person meets it: by the library and on the command line. The provider is real; its
// answers are changed into what others send. Changes when another such answer is found.

import { decodeJwt } from "jose";
import { expect, test } from "vitest";
import { OidcAuth, type OidcAuthOptions, type OidcError } from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { HostileAnswer, TamperPath } from "../support/provider-tampering.ts";
import { approveDevice } from "../support/scripted-browser.ts";
import { forgeToken } from "../support/token-forge.ts";
import { desktop, emptyHome, person } from "../flow/harness.ts";
import { desk, provider } from "./harness.ts";

type Members = Record<string, unknown>;

const json = { "content-type": "application/json" };

function answered(members: object, status = 200): HostileAnswer {
  return { status, headers: json, body: JSON.stringify(members) };
}

/** Changes the members of the genuine answers of one endpoint. */
function change(
  path: TamperPath,
  changed: (genuine: Members) => Members | Promise<Members>,
): (identityProvider: IdentityProvider) => void {
  return (identityProvider) => {
    identityProvider.tamper({
      path,
      respond: async (_request, genuine) => {
        const real = await genuine();
        return { ...real, body: JSON.stringify(await changed(JSON.parse(real.body))) };
      },
    });
  };
}

/** Claims of the genuine ID token, changed and signed again. */
function claims(
  changed: (genuine: Members) => Members,
): (identityProvider: IdentityProvider) => void {
  return change("token", async (members) => {
    const { at_hash: _other, ...genuine } = decodeJwt(String(members["id_token"]));
    return { ...members, id_token: await forgeToken({ ...genuine, ...changed(genuine) }) };
  });
}

function refuse(status: number, members: object): (identityProvider: IdentityProvider) => void {
  return (identityProvider) => {
    identityProvider.tamper({ path: "token", respond: async () => answered(members, status) });
  };
}

interface Case {
  readonly name: string;
  readonly answer: (identityProvider: IdentityProvider) => void;
  /** Signed in before the answer changes, and renewed then. Default: the sign-in itself. */
  readonly refresh?: true;
  /** The sign-in is answered so too. */
  readonly always?: true;
  readonly secret?: "confidentialPost";
  /** Undefined: it works. */
  readonly code?: string;
  readonly reason?: string;
  readonly exit: number;
  /** In the message, or in what is warned of. */
  readonly words?: string;
}

const cases: readonly Case[] = [
  {
    name: "[F-P access-token-not-b64token] an access token with an exclamation mark",
    answer: change("token", (members) => ({ ...members, access_token: "00Dxx0gPL!AR8AQ.token_v" })),
    exit: 0,
  },
  {
    name: "[F-P refresh-auth-time-changed] a renewal with a later auth_time",
    answer: (identityProvider) => {
      let time = 1_700_000_000;
      claims(() => ({ auth_time: (time += 3600) }))(identityProvider);
    },
    refresh: true,
    always: true,
    exit: 0,
  },
  {
    name: "[F-P refresh-auth-time-changed] a renewal with an ID token that cannot be accepted",
    answer: claims(() => ({ iss: "https://other.example" })),
    refresh: true,
    code: "login_required",
    reason: "refresh_refused",
    exit: 3,
    words: "brought an ID token that cannot be accepted",
  },
  {
    name: "[F-P refresh-refusal-in-other-words] a refresh token that is over by a sentence",
    answer: refuse(400, { error: "invalid_request", error_description: "Refresh token expired." }),
    refresh: true,
    code: "login_required",
    reason: "refresh_refused",
    exit: 3,
    words: "ended the sign-in",
  },
  {
    name: "[F-P secret-basic-answered-with-invalid-request] Basic that is not looked at",
    answer: (identityProvider) => {
      const words = "Missing parameter(s): client_id, client_secret";
      identityProvider.tamper({
        path: "token",
        respond: async ({ headers }, genuine) =>
          headers["authorization"] === undefined
            ? genuine()
            : answered({ code: "rest_missing_callback_param", message: words }, 400),
      });
    },
    secret: "confidentialPost",
    exit: 0,
  },
  {
    name: "[F-P auth-time-as-text] an auth_time that is null",
    answer: claims(() => ({ auth_time: null })),
    exit: 0,
  },
  {
    name: "[F-P auth-time-as-text] a sub that is a number",
    answer: claims(() => ({ sub: 12_345 })),
    code: "id_token_invalid",
    reason: "id_token_sub",
    exit: 1,
    words: "its sub, which says who signed in, is not text",
  },
  {
    name: "[F-P sub-of-256] a sub that is too long",
    answer: claims(() => ({ sub: `EE/${"x".repeat(256)}` })),
    code: "id_token_invalid",
    reason: "id_token_sub",
    exit: 1,
    words: "longer than 255 characters",
  },
  {
    name: "[F-P says-why-in-other-members] a reason in members of its own",
    answer: refuse(400, { error: { code: 400, message: "API key not valid.", status: "X_Y" } }),
    code: "token_request_failed",
    reason: "no_error_member",
    exit: 1,
    words: 'The provider says: "X_Y: API key not valid."',
  },
  {
    name: "[F-P says-why-in-other-members] a limit by word",
    answer: refuse(403, { error_code: "rate_limit_exceeded" }),
    code: "rate_limited",
    exit: 6,
    words: "too many requests",
  },
  {
    name: "[F-P token-type-words] [F-T12] no token type",
    answer: change("token", ({ token_type: _absent, ...members }) => members),
    exit: 0,
    words: "without a token type",
  },
  {
    name: "[F-P token-type-words] no access token",
    answer: change("token", ({ access_token: _absent, ...members }) => members),
    code: "token_response_invalid",
    reason: "access_token",
    exit: 1,
    words: "without an access token",
  },
  {
    name: "[F-P limit-not-named] an ID token of 3000 groups",
    answer: claims(() => ({ groups: Array.from({ length: 3000 }, () => "x".repeat(60)) })),
    code: "token_response_invalid",
    reason: "id_token",
    exit: 1,
    words: "longer than 131072 characters",
  },
  {
    name: "[F-P credentials-in-a-message] user name and password in an endpoint",
    answer: change("discovery", (document) => ({
      ...document,
      token_endpoint: "https://user:pass-word@op.example.com/token",
    })),
    code: "endpoint_invalid",
    reason: "token_endpoint",
    exit: 1,
    words: '("https://op.example.com/token")',
  },
  {
    name: "[F-U12] a scope that is refused",
    answer: refuse(400, { error: "invalid_scope" }),
    code: "token_request_failed",
    reason: "invalid_scope",
    exit: 1,
    words: "to this client: openid profile email. Its metadata lists: ",
  },
  {
    name: "[F-U21] 401 and a word of its own after a secret was sent",
    answer: refuse(401, { error: "Bad credentials" }),
    secret: "confidentialPost",
    code: "token_request_failed",
    exit: 1,
    words: "The provider refuses the client or its secret. Check ",
  },
];

test.each(cases)("by the library: $name", async (one) => {
  emptyHome();
  const identityProvider = await provider();
  const someone = person();
  const client = one.secret === undefined ? {} : identityProvider.clients[one.secret];
  const options: OidcAuthOptions = { ...desktop(identityProvider, someone), ...client };
  if (one.always === true) one.answer(identityProvider);
  if (one.refresh === true) await new OidcAuth(options).getToken();
  if (one.always !== true) one.answer(identityProvider);
  const request = one.refresh === true ? { forceRefresh: true, interactive: false } : {};
  const outcome = await new OidcAuth(options).getToken(request).catch((error: unknown) => error);
  const { code, reason, message = "" } = outcome as Partial<OidcError>;
  expect([code, reason]).toEqual([one.code, one.reason]);
  const warned = someone.events.map((event) => (event.type === "warning" ? event.message : ""));
  const said = [message, ...warned].join("\n");
  expect(said).toContain(one.words ?? "");
  expect(said).not.toContain("pass-word");
});

test.each(cases)("on the command line: $name", async (one) => {
  const at = await desk();
  const identityProvider = await provider();
  const { clientId, clientSecret = "" } = {
    clientSecret: undefined,
    ...identityProvider.clients[one.secret ?? "public"],
  };
  const flags = [...at.flags(identityProvider), "--client-id", clientId];
  const env = { LATCHKEY_CLIENT_SECRET: clientSecret };
  if (one.always === true) one.answer(identityProvider);
  if (one.refresh === true) await at.run(["login", ...flags], { env });
  if (one.always !== true) one.answer(identityProvider);
  const command =
    one.refresh === true ? ["token", "--force-refresh", "--no-interactive"] : ["login"];
  const { code, stderr } = await at.run([...command, ...flags], { env });
  const tag = [one.code, one.reason].filter((part) => part !== undefined).join(": ");
  expect([code, stderr.includes(one.words ?? "")]).toEqual([one.exit, true]);
  expect(stderr.trimEnd().endsWith(one.code === undefined ? "" : `[${tag}]`)).toBe(true);
  expect(stderr).not.toContain("pass-word");
});

test("a token of visible characters is handed on whole, by the warm command and to a program [F-P access-token-not-b64token]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const token = "00Dxx0gPL!AR8AQ.token_v";
  change("token", (members) => ({ ...members, access_token: token }))(identityProvider);
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  identityProvider.resetRequests();
  expect((await at.run(["token", ...flags])).stdout).toBe(`${token}\n`);
  const script = 'printf %s "$LATCHKEY_ACCESS_TOKEN"';
  const { stdout } = await at.run(["exec", ...flags, "--", "sh", "-c", script]);
  expect([stdout, identityProvider.requests().total]).toEqual([token, 0]);
});

test("an empty secret is said on purpose: an empty variable sends nothing, /dev/null an empty field", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const flags = at.flags(identityProvider);
  const env = { LATCHKEY_CLIENT_SECRET: "" };
  expect((await at.run(["login", ...flags], { env })).code).toBe(0);
  const more = ["--client-secret-file", "/dev/null"];
  expect((await at.run(["login", ...flags, ...more])).code).toBe(0);
  const sent = identityProvider.tokenRequests().map((form) => form.get("client_secret"));
  expect([...new Set(sent)]).toEqual([null, ""]);
  expect(identityProvider.authorizationHeaders()).toEqual([undefined, undefined]);
});

/** RFC 7009 section 2: refresh tokens MUST be revoked, access tokens SHOULD be. */
function revokesRefreshTokensAlone(identityProvider: IdentityProvider): void {
  identityProvider.tamper({
    path: "revocation",
    respond: async ({ body }, genuine) =>
      new URLSearchParams(body).get("token_type_hint") === "refresh_token"
        ? genuine()
        : answered({ error: "unsupported_token_type" }, 400),
  });
}

test("a revoked refresh token is a revoked sign-in, and the access token's own end is named [F-U22] [C13]", async () => {
  emptyHome();
  const identityProvider = await provider();
  revokesRefreshTokensAlone(identityProvider);
  const auth = new OidcAuth(desktop(identityProvider));
  const { expiresAt } = await auth.getToken();
  expect(await auth.logout({ revoke: true })).toMatchObject({
    forgotten: 1,
    revoked: "yes",
    accessTokenStays: { until: expiresAt },
  });

  const at = await desk();
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const { code, stderr } = await at.run(["logout", "--revoke", "--no-open-browser", ...flags]);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /The provider has revoked it\. It revokes no access tokens: the last one stays good until \d/,
  );
});

test("without a refresh token the access token alone decides what was revoked [F-U22]", async () => {
  emptyHome();
  const identityProvider = await provider();
  revokesRefreshTokensAlone(identityProvider);
  change("token", ({ refresh_token: _absent, ...members }) => members)(identityProvider);
  const auth = new OidcAuth(desktop(identityProvider));
  await auth.getToken();
  const result = await auth.logout({ revoke: true });
  expect(result.revoked).toBe("unsupported");
  expect(result).not.toHaveProperty("accessTokenStays");
});

test("--force-refresh without a refresh token says that there is none [F-U23]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  change("token", ({ refresh_token: _absent, ...members }) => members)(identityProvider);
  const flags = at.flags(identityProvider);
  await at.run(["login", ...flags]);
  const { code, stderr } = await at.run(["token", "--force-refresh", "--no-interactive", ...flags]);
  expect(code).toBe(3);
  expect(stderr).toContain("has no refresh token, so a new token takes a new sign-in");
  expect(stderr).toContain("--offline-access");
  expect(stderr).toMatch(/\[login_required: no_token\]\n$/);
  expect((await at.run(["token", "--no-interactive", ...flags])).code).toBe(0);
});

test("an ID token that ends when no date can be is printed with the longest end that is believed [F-S17]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  claims(() => ({ exp: 1e300 }))(identityProvider);
  const flags = at.flags(identityProvider);
  expect((await at.run(["login", ...flags])).code).toBe(0);
  const printed = await at.run(["token", "--id-token", "--json", ...flags]);
  expect(printed.code).toBe(0);
  const years =
    (Date.parse(JSON.parse(printed.stdout).expiresAt) - Date.now()) / (365 * 86_400_000);
  expect(Math.round(years)).toBe(10);
});

test("a device sign-in without an ID token and without a usable complete address is one [F-P optional-or-foreign-values]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const unfit = { interval: 1, verification_uri_complete: "" };
  change("device", (members) => ({ ...members, ...unfit }))(identityProvider);
  change("token", ({ id_token: _absent, ...members }) => members)(identityProvider);
  const flags = [...at.flags(identityProvider), "--flow", "device", "--no-open-browser"];
  const running = at.start(["login", ...flags]);
  const [, userCode = ""] = await running.waitFor(/and enter {2}(\S+)\n/);
  const [address] = await running.waitFor(/^http:\S+\/device$/m);
  await approveDevice(address, { userCode });
  const { code, stderr } = await running.finished;
  expect(code).toBe(0);
  expect(stderr).toContain("it is not known who signed in");
  expect(stderr).toMatch(/Signed in to 127\.0\.0\.1:\d+/);
  const [asked] = identityProvider.requestsOf("device");
  expect(new URLSearchParams(asked?.body).get("code_challenge_method")).toBe("S256");
});

test("a userinfo refusal without a challenge is about the access token [F-U19]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const auth = new OidcAuth(desktop(identityProvider));
  await auth.getToken();
  identityProvider.tamper({ path: "userinfo", respond: async () => ({ status: 401 }) });
  const error = (await auth.userInfo().catch((thrown: unknown) => thrown)) as OidcError;
  expect([error.code, error.reason]).toEqual(["token_request_failed", "invalid_token"]);
  expect(error.message).not.toContain("clientId");
});
