// An OpenID Provider in this process, for tests of programs that sign in. Changes when it gains an endpoint.

import { memoryStore } from "../../credential/stores.ts";
import type { PromptHandler } from "../../core/prompt.ts";
import { json, startHttpServer, type ServerAnswer, type ServerOutcome } from "../http-server.ts";
import type { ServerRequest } from "../http-server.ts";
import { answerActivation, answerAuthorization, answerDevice } from "./authorization.ts";
import type { AuthorizationFacts } from "./authorization.ts";
import { Failures } from "./failures.ts";
import { Grants, randomText } from "./grants.ts";
import { browse } from "./person.ts";
import { checkedProviderOptions } from "./provider-options.ts";
import type {
  TestPerson,
  TestPersonAnswer,
  TestProvider,
  TestProviderEndpoint,
  TestProviderOptions,
  TestProviderRequest,
} from "./provider-types.ts";
import { processKey } from "./signing-key.ts";
import {
  answerIntrospection,
  answerRevocation,
  answerToken,
  answerUserInfo,
  type TokenFacts,
} from "./tokens.ts";

const paths: Readonly<Record<TestProviderEndpoint, string>> = {
  discovery: "/.well-known/openid-configuration",
  jwks: "/jwks",
  authorization: "/authorize",
  device: "/device",
  token: "/token",
  userinfo: "/userinfo",
  introspection: "/introspect",
  revocation: "/revoke",
};
const endpoints = Object.keys(paths) as readonly TestProviderEndpoint[];

/** OpenID Connect Discovery section 3, RFC 8414 section 2. */
function metadata(issuer: string, hasSecret: boolean): object {
  return {
    issuer,
    authorization_endpoint: issuer + paths.authorization,
    device_authorization_endpoint: issuer + paths.device,
    token_endpoint: issuer + paths.token,
    userinfo_endpoint: issuer + paths.userinfo,
    introspection_endpoint: issuer + paths.introspection,
    revocation_endpoint: issuer + paths.revocation,
    end_session_endpoint: `${issuer}/logout`,
    jwks_uri: issuer + paths.jwks,
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "form_post"],
    grant_types_supported: [
      "authorization_code",
      "refresh_token",
      "urn:ietf:params:oauth:grant-type:device_code",
      ...(hasSecret ? ["client_credentials"] : []),
    ],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    token_endpoint_auth_methods_supported: hasSecret
      ? ["client_secret_basic", "client_secret_post"]
      : ["none"],
    code_challenge_methods_supported: ["S256"],
    authorization_response_iss_parameter_supported: true,
  };
}

/** A handler that does what the person would with what it is shown. */
function promptHandler(open: (url: string) => Promise<void>): PromptHandler {
  return (event) => {
    const url =
      event.type === "authorizationUrl"
        ? event.url
        : event.type === "deviceCode" && event.besideBrowser !== true
          ? (event.verificationUriComplete ?? event.verificationUri)
          : undefined;
    // Where a browser was started, that one opens the address.
    if (url === undefined || !("cancel" in event) || event.browserOpened === true) return;
    open(url).catch(() => event.cancel());
  };
}

/**
 * Starts an OpenID Provider in this process, on loopback: discovery, authorization code with PKCE, device flow, refresh
 * tokens that rotate, client credentials, userinfo, introspection and revocation. ID tokens are signed and requests are
 * real; the person agrees at once. It is for tests alone: whoever can reach its port is signed in.
 * @throws {OidcError} `invalid_option`.
 */
export async function startTestProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const settings = checkedProviderOptions(options);
  const { clientId, clientSecret } = settings;
  const key = await processKey();
  const grants = new Grants();
  const failures = new Failures();
  const received = new Map<TestProviderEndpoint, TestProviderRequest[]>();
  const store = memoryStore();
  const visitPath = `/visit/${randomText()}`;
  const visitFailures: unknown[] = [];
  let person: TestPerson = settings.person;
  let personAnswer: TestPersonAnswer = "agrees";
  let lifetimeSeconds = settings.tokenLifetimeSeconds;

  const open = async (url: string): Promise<void> => {
    if (personAnswer === "leaves") return;
    try {
      await browse(url, server.origin);
    } catch (error) {
      visitFailures.push(error);
      throw error;
    }
  };

  const tokenFacts = (): TokenFacts => ({
    ...settings,
    issuer: server.origin,
    grants,
    key,
    lifetimeSeconds,
  });
  const signInFacts = (): AuthorizationFacts => ({
    ...settings,
    issuer: server.origin,
    grants,
    person,
    isRefused: personAnswer === "refuses",
  });
  const answers: Readonly<Record<TestProviderEndpoint, (request: ServerRequest) => ServerAnswer>> =
    {
      discovery: () => json(200, metadata(server.origin, clientSecret !== undefined)),
      jwks: () => json(200, { keys: [key.jwk] }),
      authorization: (request) => answerAuthorization(request, signInFacts()),
      device: (request) => answerDevice(request, signInFacts()),
      token: (request) => answerToken(request, tokenFacts()),
      userinfo: (request) => answerUserInfo(request, tokenFacts()),
      introspection: (request) => answerIntrospection(request, tokenFacts()),
      revocation: (request) => answerRevocation(request, tokenFacts()),
    };
  const answerOther = async (request: ServerRequest): Promise<ServerAnswer> => {
    if (request.path === "/activate") return answerActivation(request, signInFacts());
    if (request.path === "/logout") return { status: 200, body: "Signed out." };
    if (request.path !== visitPath) return { status: 404 };
    // What went wrong is told by `close`; the command has nobody to tell it to.
    await open(request.query.get("url") ?? "").catch(() => undefined);
    return { status: 204 };
  };
  const answer = (request: ServerRequest): ServerOutcome | Promise<ServerOutcome> => {
    const endpoint = endpoints.find((each) => paths[each] === request.path);
    if (endpoint === undefined) return answerOther(request);
    const before = received.get(endpoint) ?? [];
    received.set(endpoint, [...before, request]);
    return failures.outcome(endpoint, () => answers[endpoint](request));
  };
  const server = await startHttpServer(answer, settings.port);

  const onPrompt = promptHandler(open);
  const close = async (): Promise<void> => {
    await server.close();
    if (visitFailures.length > 0) {
      throw new AggregateError(
        visitFailures.splice(0),
        "the person's browser did not get through; see errors",
      );
    }
  };
  // `node -e` hands on the words after its program, the address last.
  const visitor = 'require("http").get(process.argv[1]+encodeURIComponent(process.argv[2]))';
  return {
    issuer: server.origin,
    clientId,
    clientSecret,
    browserCommand: `"${process.execPath}" -e '${visitor}' ${server.origin}${visitPath}?url=`,
    onPrompt,
    signInOptions: () => ({
      issuer: server.origin,
      clientId,
      ...(clientSecret === undefined ? {} : { clientSecret }),
      callbackPort: 0,
      openBrowser: false,
      onPrompt,
      store,
    }),
    open,
    setPerson: (given) => {
      person = given;
    },
    setPersonAnswer: (given) => {
      personAnswer = given;
    },
    setTokenLifetime: (seconds) => {
      lifetimeSeconds = seconds;
    },
    accepts: (accessToken) => grants.accessToken(accessToken) !== undefined,
    endAccessTokens: () => grants.accessTokens.clear(),
    endSignIns: () => grants.endAll(),
    fail: (endpoint, failure, times = Number.POSITIVE_INFINITY) =>
      failures.add(endpoint, failure, times),
    requests: () =>
      Object.fromEntries(
        endpoints.map((endpoint) => [endpoint, received.get(endpoint)?.length ?? 0]),
      ) as Record<TestProviderEndpoint, number>,
    received: (endpoint) => received.get(endpoint) ?? [],
    resetRequests: () => received.clear(),
    close,
    [Symbol.asyncDispose]: close,
  };
}
