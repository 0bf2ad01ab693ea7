// A new access token for a refresh token, the reply lost at most once. Changes when the rules of a refresh do.

import { decisionsOf, isErrorOf, OidcError } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import { hostAndPort } from "../core/hosts.ts";
import { wasNeverSent } from "../core/request-fate.ts";
import { decodeStoredIdToken } from "../core/stored-id-token.ts";
import { signInAnew } from "../core/wording.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import { refreshTokens } from "../provider/refresh-tokens.ts";
import type { SessionRecord, TokenTarget } from "../record/format.ts";
import type { FlowWorld } from "./flow-world.ts";
import { knownEndpoints, type KnownEndpoints } from "./known-endpoints.ts";
import { clientIdentity, providerOptions, targetOfToken } from "./provider-input.ts";
import type { Settings, SignInConfig, SignInInput } from "./sign-in-config.ts";

/** A sign-in with a refresh token. */
export type RefreshableRecord = SessionRecord & { refreshToken: string };

async function send(
  world: FlowWorld,
  config: SignInConfig,
  settings: Settings,
  record: RefreshableRecord,
  endpoints: KnownEndpoints,
  signal: AbortSignal,
  target: TokenTarget | undefined,
): Promise<TokenAnswer> {
  const scopes = target?.scopes ?? undefined;
  const previous = record.idToken === undefined ? undefined : decodeStoredIdToken(record.idToken);
  const answer = await refreshTokens(
    world,
    {
      ...clientIdentity(config),
      authenticationMethod: record.authenticationMethod,
      tokenEndpoint: endpoints.tokenEndpoint,
      refreshToken: record.refreshToken,
      previous,
      scopes: scopes ?? record.accessToken?.scopes ?? config.scopes ?? [],
      sendScopes: scopes !== undefined,
      ...targetOfToken(config, target),
      userinfoEndpoint: endpoints.userinfoEndpoint,
      revocationEndpoint: endpoints.revocationEndpoint,
      options: providerOptions(config, settings, settings.flow),
    },
    signal,
  );
  const { endSessionEndpoint, trustedRoots } = endpoints;
  return {
    ...answer,
    ...(endSessionEndpoint === undefined ? {} : { endSessionEndpoint }),
    ...(trustedRoots === undefined ? {} : { trustedRoots }),
  };
}

/**
 * Renews the tokens of a sign-in. One request; where its reply was lost it is sent once more, because the provider may
 * have rotated the refresh token already and then only a resend within its grace period saves the sign-in.
 * `target`: what the access token is for, where that is not what the configuration says.
 * @throws {OidcError} `token_request_failed` (reason `invalid_grant`, or `empty` where it says so without a word: the provider ended the sign-in),
 * `login_required` (reason `refresh_lost`: a reply was lost and the resend refused), `subject_changed`,
 * `id_token_invalid`, `token_response_invalid`, network codes.
 * @see RFC 6749 section 6, RFC 8707 section 2.2, RFC 9700 section 4.14
 */
export async function refreshSignIn(
  world: FlowWorld,
  input: Pick<SignInInput, "config" | "settings">,
  record: RefreshableRecord,
  signal: AbortSignal,
  target?: TokenTarget,
): Promise<TokenAnswer> {
  const { config, settings } = input;
  const { tokenEndpoint } = config.endpoints;
  // An endpoint that the caller set needs nobody to vouch for it.
  const endpoints =
    tokenEndpoint === undefined
      ? await knownEndpoints(world, input, record, signal)
      : { ...record, tokenEndpoint };
  const host = hostAndPort(endpoints.tokenEndpoint);
  emit(world.logger, "refresh.started", { host });
  let answer: TokenAnswer;
  try {
    answer = await send(world, config, settings, record, endpoints, signal, target);
  } catch (error) {
    if (!isErrorOf(error, "network") || signal.aborted) throw error;
    try {
      answer = await send(world, config, settings, record, endpoints, signal, target);
    } catch (second) {
      // The first request decides what is known of the refresh token: whatever became of the second, it may have been
      // used. One that never left says nothing.
      if (wasNeverSent(error)) throw second;
      if (decisionsOf(second)?.refuses !== "refreshToken") throw error;
      throw new OidcError(
        "login_required",
        `The answer of ${host} to a refresh was lost on the way, and the provider refuses to repeat it.`,
        { reason: "refresh_lost", remedy: [signInAnew], cause: second },
      );
    }
  }
  emit(world.logger, "refresh.finished", {
    host,
    rotated: answer.refreshToken !== undefined && answer.refreshToken !== record.refreshToken,
  });
  return answer;
}
