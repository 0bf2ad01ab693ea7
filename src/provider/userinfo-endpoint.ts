// Claims about the person from the userinfo endpoint, plain or signed (OpenID Connect Core section 5.3).

import { nowSeconds } from "../core/clock.ts";
import { isBearerToken } from "../core/bearer-token.ts";
import { OidcError, type Reason } from "../core/errors.ts";
import { clockToleranceSeconds } from "../core/limits.ts";
import { loadPart } from "../core/load.ts";
import type { Secret } from "../core/secret.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import { hostAndPort } from "../core/hosts.ts";
import { checkSignature } from "../keys/signature.ts";
import { successfulBody } from "./successful-answer.ts";
import { openProviderForRefresh } from "./metadata.ts";
import type { ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { expectedIdTokenIssuer } from "./quirks.ts";
import { withoutSecrets } from "./redaction.ts";
import type { RequestContext } from "./refusal.ts";

const step = "userinfo";

/** Claims about the person. */
export interface UserInfo {
  sub: string;
  [claim: string]: unknown;
}

/** What a userinfo request needs. */
export interface UserInfoInput {
  readonly userinfoEndpoint: string;
  readonly clientId: string;
  readonly clientSecret?: Secret | undefined;
  readonly accessToken: Secret;
  /** `sub` of the ID token; undefined where there was none. */
  readonly expectedSubject: string | undefined;
  /** Where the keys are, should the answer be signed. */
  readonly options: ProviderOptions;
}

function invalid(host: string, reason: Reason<"token_response_invalid">, what: string): OidcError {
  return new OidcError(
    "token_response_invalid",
    `${host} answered with ${what} (userinfo). The claims were thrown away.`,
    { reason, remedy: "Ask the provider's administrator." },
  );
}

/** The request. Its token stands in a header, as RFC 6750 section 2.1 has it. */
export function userInfoRequest(
  { userinfoEndpoint, accessToken }: Pick<UserInfoInput, "userinfoEndpoint" | "accessToken">,
  signal: AbortSignal | undefined,
): HttpRequest {
  return {
    method: "GET",
    url: userinfoEndpoint,
    step,
    headers: { authorization: `Bearer ${accessToken.reveal()}` },
    accept: "application/json, application/jwt",
    signal,
  };
}

function mediaType(answer: HttpAnswer): string {
  const [type = ""] = (answer.headers["content-type"] ?? "").split(";", 1);
  return type.trim().toLowerCase();
}

/** RFC 6750 section 3: the reason of a refusal stands in the challenge, not in the body. */
async function challengeError(
  answer: HttpAnswer,
  context: RequestContext,
): Promise<OidcError | undefined> {
  const challenge = (answer.headers["www-authenticate"] ?? "").slice(0, 4096);
  const error = /\berror="([\x21\x23-\x5b\x5d-\x7e]{1,64})"/.exec(challenge)?.[1];
  if (error === undefined) return undefined;
  const { refusalError } = await loadPart(() => import("./refusal.ts"));
  const refusal = { error: withoutSecrets(error, context.secrets), description: undefined };
  return refusalError("token_request_failed", hostAndPort(answer.url), refusal, context);
}

/** The claims of a signed answer. Core section 5.3.2: `iss` and `aud` are compared, not merely allowed. */
async function readSigned(
  world: ProviderWorld,
  answer: HttpAnswer,
  input: UserInfoInput,
  signal: AbortSignal | undefined,
): Promise<Readonly<Record<string, unknown>>> {
  const host = hostAndPort(answer.url);
  const token = new TextDecoder().decode(answer.body).trim();
  const provider = await openProviderForRefresh(world, input.options, signal);
  const signature = await checkSignature(token, {
    keys: provider.keys,
    listedAlgorithms: provider.metadata.userinfoSigningAlgorithms,
    clientSecret: input.clientSecret,
    signal,
  });
  if (!signature.accepted || !signature.verified) {
    const reason = signature.accepted
      ? "userinfo_unverifiable"
      : (`userinfo_${signature.problem}` as const);
    throw invalid(host, reason, "a signed answer whose signature is not the provider's");
  }
  const { payload: claims } = signature;
  if (claims["iss"] !== expectedIdTokenIssuer(input.options.issuer, claims)) {
    throw invalid(host, "userinfo_iss", "a signed answer of another issuer");
  }
  if (![claims["aud"]].flat().includes(input.clientId)) {
    throw invalid(host, "userinfo_aud", "a signed answer for another client");
  }
  const { exp } = claims;
  const now = nowSeconds(world.clock);
  if (exp !== undefined && !(typeof exp === "number" && exp > now - clockToleranceSeconds)) {
    throw invalid(host, "userinfo_time", "a signed answer whose time is over");
  }
  return claims;
}

/**
 * The claims of the person whom an access token stands for.
 * @throws {OidcError} `subject_changed` (another `sub` than expected, or none), `token_request_failed` (reason
 * `invalid_token`: the provider refuses the access token), `token_response_invalid`, and what the transport throws.
 * @see OpenID Connect Core 1.0 section 5.3
 */
export async function fetchUserInfo(
  world: ProviderWorld,
  input: UserInfoInput,
  signal?: AbortSignal,
): Promise<UserInfo> {
  const host = hostAndPort(input.userinfoEndpoint);
  const accessToken = input.accessToken.reveal();
  if (!isBearerToken(accessToken)) {
    throw new OidcError(
      "token_response_invalid",
      "The cached access token cannot stand in a header, so it was not sent (userinfo).",
      { reason: "access_token", remedy: "Sign in again." },
    );
  }
  const answer = await world.http.send(userInfoRequest(input, signal));
  const context: RequestContext = {
    step,
    secretSent: false,
    secrets: [accessToken],
    status: answer.status,
    bearer: true,
  };
  if (answer.status === 401 || answer.status === 403) {
    const refused = await challengeError(answer, context);
    if (refused !== undefined) throw refused;
  }
  const isSigned = answer.status === 200 && mediaType(answer) === "application/jwt";
  const claims = isSigned
    ? await readSigned(world, answer, input, signal)
    : await successfulBody(answer, context);
  const { sub } = claims;
  // Core section 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the sub Claim in the
  // ID Token; if they do not match, the UserInfo Response values MUST NOT be used."
  if (typeof sub !== "string" || sub === "") {
    throw new OidcError(
      "subject_changed",
      `${host} did not say whom its answer is about (userinfo). The claims were thrown away.`,
      { reason: "userinfo_sub_mismatch", remedy: "Ask the provider's administrator." },
    );
  }
  if (input.expectedSubject !== undefined && sub !== input.expectedSubject) {
    throw new OidcError(
      "subject_changed",
      `${host} answered about another person than the one who signed in (userinfo). The claims were thrown away.`,
      { reason: "userinfo_sub_mismatch", remedy: "Sign in again." },
    );
  }
  return { ...claims, sub };
}
