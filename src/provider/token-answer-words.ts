// What people are told of a token answer that cannot be used.

import { OidcError, type Reason, sanitizeProviderText } from "../core/errors.ts";
import { maxTokenCharacters } from "../core/limits.ts";
import { option, say } from "../core/wording.ts";
import { withoutSecrets } from "./redaction.ts";

/** The member that cannot be used, and why. */
export interface TokenAnswerProblem {
  readonly member: "access_token" | "token_type" | "scope" | "refresh_token" | "id_token";
  readonly fault: "absent" | "kind" | "characters" | "length" | "foreign";
  /** The foreign token type. */
  readonly tokenType?: unknown;
}

/** What a message may say in addition to that. */
export interface TokenAnswerFacts {
  readonly host: string;
  /** What must not come back in a message. */
  readonly secrets: readonly (string | undefined)[];
}

const names = {
  access_token: "an access token",
  token_type: "a token type",
  scope: "a list of scopes",
  refresh_token: "a refresh token",
  id_token: "an ID token",
} as const;

function foreignType(tokenType: unknown, secrets: TokenAnswerFacts["secrets"]): string {
  const named =
    typeof tokenType === "string"
      ? `of the type "${sanitizeProviderText(withoutSecrets(tokenType, secrets), 40)}"`
      : "whose type is not text";
  return `an access token ${named}, and Bearer alone can be used`;
}

function whatCame(
  { member, fault, tokenType }: TokenAnswerProblem,
  secrets: TokenAnswerFacts["secrets"],
): string {
  const name = names[member];
  if (fault === "foreign") return foreignType(tokenType, secrets);
  if (fault === "length") {
    return `${name} longer than ${maxTokenCharacters} characters, more than is accepted`;
  }
  if (member === "scope") return "a scope that is not a list of scopes";
  if (member === "access_token") {
    return `${name} that cannot stand in a header: visible ASCII without space, comma and quote is accepted`;
  }
  return fault === "kind"
    ? `${name} that is not text`
    : `${name} with characters that no token has`;
}

/** `token_response_invalid`, the member's name as reason. */
export function tokenAnswerError(
  problem: TokenAnswerProblem,
  { host, secrets }: TokenAnswerFacts,
): OidcError {
  const reason: Reason<"token_response_invalid"> = problem.member;
  if (problem.member === "access_token" && problem.fault === "absent") {
    return new OidcError(
      "token_response_invalid",
      `${host} answered without an access token (token request), so nothing was saved.`,
      {
        reason,
        remedy: say`Ask for a scope of an API by ${option("scopes")}, or ask the provider's administrator what this client gets.`,
      },
    );
  }
  return new OidcError(
    "token_response_invalid",
    `${host} answered with ${whatCame(problem, secrets)} (token request). Nothing was saved.`,
    { reason, remedy: "Ask the provider's administrator." },
  );
}
