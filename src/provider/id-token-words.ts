// What people are told of an ID token that cannot be accepted: one sentence and one stable reason for each problem.

import { OidcError, type Reason, sanitizeProviderText } from "../core/errors.ts";
import { addressToShow } from "../core/hosts.ts";
import { clockToleranceSeconds } from "../core/limits.ts";
import { counted } from "../core/words.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { maxSubjectCharacters, type ClaimProblem } from "../keys/id-token-claims.ts";
import type { SignatureProblem } from "../keys/signature.ts";
import { withoutSecrets } from "./redaction.ts";

/** What can be wrong with an ID token. */
export type IdTokenProblem = ClaimProblem | SignatureProblem | "missing";

/** What a message may say in addition to what is wrong. */
export interface IdTokenFacts {
  /** Where the token came from. */
  readonly host: string;
  readonly nowMilliseconds: number;
  /** As far as the token could be read. */
  readonly payload?: Readonly<Record<string, unknown>> | undefined;
  /** The issuer that the token should have named. */
  readonly issuer?: string | undefined;
  /** What must not come back in a message. */
  readonly secrets?: readonly (string | undefined)[] | undefined;
}

const askAdministrator = "Ask the provider's administrator.";

/** What is wrong, without a stop, and what to do: whole sentences. */
interface Said {
  readonly what: string | Wording;
  readonly remedy?: string | Wording | undefined;
}

type Row = readonly [
  reason: Reason<"id_token_invalid">,
  what: Said["what"],
  remedy?: Said["remedy"],
];

const rows: Readonly<Record<Exclude<IdTokenProblem, "another_subject">, Row>> = {
  alg: [
    "id_token_alg",
    "it is not signed with an algorithm that is both safe and listed by the provider",
    "Ask the provider's administrator which one this client is registered for.",
  ],
  signature: [
    "id_token_signature",
    "its signature does not match the provider's keys",
    "Do not use this sign-in; tell the provider's administrator.",
  ],
  issuer: ["id_token_iss", say`its issuer is another one than ${option("issuer")}`],
  audience: [
    "id_token_aud",
    "it was not issued for this client",
    say`Check ${option("clientId")}.`,
  ],
  time_malformed: [
    "id_token_time",
    "it does not say when it was issued and when it ends",
    askAdministrator,
  ],
  // Said with what the clock shows: see below.
  untimely: ["id_token_time", "it is not valid now"],
  subject_missing: ["id_token_sub", "it does not say who signed in", askAdministrator],
  subject_kind: [
    "id_token_sub",
    "its sub, which says who signed in, is not text",
    askAdministrator,
  ],
  subject_length: [
    "id_token_sub",
    `its sub, which says who signed in, is longer than ${maxSubjectCharacters} characters`,
    askAdministrator,
  ],
  nonce: [
    "id_token_nonce",
    "it belongs to another sign-in",
    "Sign in again; if it happens again, tell the provider's administrator.",
  ],
  nonce_missing: [
    "id_token_nonce",
    "it has no nonce, though this sign-in sent one, so it cannot be told from one of another sign-in (some providers lose it at a consent page)",
    "Sign in again; if it happens again, tell the provider's administrator.",
  ],
  authentication_time: [
    "id_token_auth_time",
    say`it does not say that the person signed in as recently as ${option("maxAge")} asks`,
    "Sign in again; if it stays this way, the provider does not heed max_age.",
  ],
  authentication_time_kind: [
    "id_token_auth_time",
    say`its auth_time is not a number, so it does not say that the person signed in as recently as ${option("maxAge")} asks`,
    say`Ask the provider's administrator, or leave ${option("maxAge")} unset.`,
  ],
  access_token_hash: [
    "id_token_at_hash",
    "it was issued with another access token",
    "Do not use this sign-in.",
  ],
  code_hash: [
    "id_token_c_hash",
    "it was issued for another authorization code",
    "Do not use this sign-in.",
  ],
  malformed: [
    "id_token_malformed",
    "it is not a signed token of the usual form",
    "Encrypted ID tokens are not supported.",
  ],
  missing: ["id_token_missing", "there is none, though openid was granted", askAdministrator],
  jwks_key_not_found: [
    "jwks_key_not_found",
    "the provider's key set has no key that fits it",
    "Try again in a minute; if it stays this way, tell the provider's administrator.",
  ],
  jwks_ambiguous: [
    "jwks_ambiguous",
    "too many of the provider's keys could have signed it, and it does not say which",
    "Tell the provider's administrator.",
  ],
};

function inWords(seconds: number): string {
  if (seconds < 120) return counted(Math.round(seconds), "second");
  if (seconds < 120 * 60) return `${Math.round(seconds / 60)} minutes`;
  if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} hours`;
  return `${Math.round(seconds / 86_400)} days`;
}

/**
 * Well-formed times that are not now. Nearly always one of the two clocks is wrong, and by how much tells a person
 * which one: an hour is a time zone, a month a battery.
 */
function untimely({ payload, nowMilliseconds }: IdTokenFacts): Said {
  const ageSeconds = nowMilliseconds / 1000 - Number(payload?.["iat"]);
  const what =
    Math.abs(ageSeconds) <= clockToleranceSeconds
      ? "is not valid now"
      : ageSeconds > 0
        ? `was issued ${inWords(ageSeconds)} ago and has expired`
        : `was issued ${inWords(-ageSeconds)} in the future`;
  const time = new Date(nowMilliseconds).toISOString().slice(0, 16).replace("T", " ");
  return {
    what: `by this machine's clock (${time} UTC) it ${what}`,
    remedy:
      "If that clock is wrong, set it and sign in again; if it is right, tell the provider's administrator.",
  };
}

/** Which issuer was named in place of the expected one; nothing where none was. */
function otherIssuer({ payload, issuer, secrets = [] }: IdTokenFacts): string {
  const named = payload?.["iss"];
  if (issuer === undefined || typeof named !== "string" || named === issuer) return "";
  const shown = sanitizeProviderText(withoutSecrets(addressToShow(named), secrets));
  return `: "${shown}" instead of "${issuer}"`;
}

/** `id_token_invalid` with its stable reason, or `subject_changed`. Neither the token nor its claims are in it. */
export function idTokenError(problem: IdTokenProblem, facts: IdTokenFacts): OidcError {
  const { host } = facts;
  if (problem === "another_subject") {
    return new OidcError(
      "subject_changed",
      `${host} renewed the sign-in for another person than the one who signed in (token request). The new tokens were thrown away.`,
      { remedy: "Sign in again." },
    );
  }
  const [reason, sentence, usualRemedy] = rows[problem];
  const { what, remedy }: Said =
    problem === "untimely" ? untimely(facts) : { what: sentence, remedy: usualRemedy };
  const detail = problem === "issuer" ? otherIssuer(facts) : "";
  return new OidcError(
    "id_token_invalid",
    say`${host} answered without a usable ID token (token request): ${what}${detail}.`,
    { reason, remedy },
  );
}
