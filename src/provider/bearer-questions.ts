// Asks a provider whom an access token stands for by using it, at the userinfo endpoint for one.

import type { Secret } from "../core/secret.ts";
import type { HttpAnswer, HttpRequest } from "../http/exchange.ts";
import { successfulBody } from "./successful-answer.ts";
import { userInfoRequest } from "./userinfo-endpoint.ts";

type Claims = Readonly<Record<string, unknown>>;

/** A question by means of a token. */
export interface BearerQuestion {
  request(url: string, token: Secret): HttpRequest;
  /**
   * The claims of whom the token stands for; undefined where it stands for nobody.
   * @throws {OidcError} for every other answer: nothing is known of the token then.
   */
  read(answer: HttpAnswer, token: Secret): Promise<Claims | undefined>;
}

/** The members of a successful answer. @throws {OidcError} for any other one. */
export function readSuccess(answer: HttpAnswer, step: string, token: Secret): Promise<Claims> {
  const { status } = answer;
  const secrets = [token.reveal()];
  return successfulBody(answer, { step, status, secretSent: false, secrets, bearer: true });
}

/** RFC 6750 section 3.1 has 401 for such a token; some providers answer 400, with the same word in the challenge. */
export function refusesToken({ status, headers }: HttpAnswer): boolean {
  if (status === 401 || status === 403) return true;
  const challenge = (headers["www-authenticate"] ?? "").slice(0, 4096);
  return status === 400 && /\berror="invalid_token"/.test(challenge);
}

/** @see OpenID Connect Core 1.0 section 5.3 */
export const userInfoQuestion: BearerQuestion = {
  request: (userinfoEndpoint, accessToken) => ({
    ...userInfoRequest({ userinfoEndpoint, accessToken }, undefined),
    accept: "application/json",
  }),
  read: async (answer, token) =>
    refusesToken(answer) ? undefined : readSuccess(answer, "userinfo", token),
};
