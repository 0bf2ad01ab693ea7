// Turns a provider's "no" into one error: what was refused, where, why, what to change. Loaded only for that.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import type { JsonObjectResult } from "../http/json-body.ts";
import { hostAndPort } from "../core/hosts.ts";
import { option, say, sentences } from "../core/wording.ts";
import { readAnswerObject, textOf } from "./answer-body.ts";
import { endsRefreshToken, reasonOf } from "./error-words-meaning.ts";
import type { Advice } from "./error-words-row.ts";
import { adviceFor, namedAdviceFor } from "./error-words.ts";
import { withoutSecrets } from "./redaction.ts";

/** What was asked, as far as a message may say it. */
export interface RequestContext {
  readonly step: string;
  readonly grantType?: string;
  /** The answer's status, where it tells something about the refusal. */
  readonly status?: number;
  readonly secretSent: boolean;
  /** Everything in the request that must not come back in an error, should the provider repeat it. */
  readonly secrets: readonly (string | undefined)[];
  /** True where the request carried an access token, and no client proved itself. Default false. */
  readonly bearer?: boolean;
  /** Scopes that the request named. */
  readonly requestedScopes?: readonly string[] | undefined;
  /** Scopes that the provider's metadata lists. */
  readonly listedScopes?: readonly string[] | undefined;
}

const maxScopeList = 300;

/** What a provider says of its refusal, without our secrets. */
export interface ProviderRefusal {
  readonly error: string;
  readonly description: string | undefined;
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/**
 * What a provider says in members of its own: one has `error.message` and `error.status`, another `errorSummary` and
 * `errorCode`, many gateways `message`.
 */
function ownWordsIn(body: Readonly<Record<string, unknown>>): {
  readonly code: string | undefined;
  readonly text: string | undefined;
} {
  const nested = membersOf(body["error"]);
  const codes = [body["error_code"], body["errorCode"], nested["status"], nested["code"]];
  const texts = [body["message"], nested["message"], body["errorSummary"], body["error_message"]];
  return {
    code: [...codes, body["code"]].map(textOf).find((each) => each !== undefined),
    text: [...texts, body["detail"]].map(textOf).find((each) => each !== undefined),
  };
}

/** The OAuth error in an answer's body; undefined where there is none. */
export function refusalIn(
  body: Readonly<Record<string, unknown>>,
  secrets: RequestContext["secrets"],
): ProviderRefusal | undefined {
  const error = textOf(body["error"]);
  if (error === undefined) return undefined;
  const description = textOf(body["error_description"]) ?? ownWordsIn(body).text;
  return {
    error: withoutSecrets(error, secrets),
    description: description === undefined ? undefined : withoutSecrets(description, secrets),
  };
}

/** Why a request was refused that names no OAuth error, in the provider's own words; undefined where it has none. */
export function reasonInOwnWords(
  body: Readonly<Record<string, unknown>>,
  secrets: RequestContext["secrets"],
): string | undefined {
  const { code, text } = ownWordsIn(body);
  const words = [code, text].filter((each) => each !== undefined);
  return words.length === 0 ? undefined : withoutSecrets(words.join(": "), secrets);
}

function scopeList(scopes: readonly string[]): string {
  return sanitizeProviderText(scopes.join(" "), maxScopeList);
}

/** What was asked for, what could be, and what to change. */
function adviceAboutScopes({ step, requestedScopes = [], listedScopes }: RequestContext): Advice {
  const isOpenidForDevice = step === "device authorization" && requestedScopes.includes("openid");
  const refused =
    requestedScopes.length === 0
      ? "The provider wants a scope from this client, and none was asked for."
      : `The provider does not grant these scopes to this client: ${scopeList(requestedScopes)}.`;
  const listed =
    listedScopes === undefined || listedScopes.length === 0
      ? ""
      : ` Its metadata lists: ${scopeList(listedScopes)}.`;
  return {
    meaning: `${refused}${listed}`,
    remedy: isOpenidForDevice
      ? say`Check ${option("scopes")}; some providers do not take openid in the device flow.`
      : say`Check ${option("scopes")}.`,
  };
}

/** What to do about a refusal that nothing more is known of. */
function usualAdvice({ status, secretSent, bearer }: RequestContext): Partial<Advice> {
  if (bearer === true) {
    return status === 403
      ? {
          meaning: "The access token may not be used for this.",
          remedy: say`Add openid to ${option("scopes")}, and sign in again.`,
        }
      : {
          meaning:
            "The provider does not take this access token: it has ended, was revoked, or is for another server.",
          remedy: ["Sign in again."],
        };
  }
  // RFC 6749 section 5.2: 401 where "client authentication failed", in whatever words.
  return status === 401 && secretSent
    ? {
        meaning: "The provider refuses the client or its secret.",
        remedy: say`Check ${option("clientSecret")}, then ${option("clientId")}.`,
      }
    : {
        remedy: say`Check ${option("clientId")}, ${option("scopes")} and the client's registration with the provider.`,
      };
}

/** What we know best is which scopes were asked for; a provider's own words may say where they are granted. */
function remedyOf(advice: Advice | undefined): Pick<Advice, "remedy"> {
  return advice?.remedy === undefined ? {} : { remedy: advice.remedy };
}

/** The error for a refusal, with advice where the refusal is a known one. */
export function refusalError(
  code: "token_request_failed" | "authorization_failed" | "access_denied",
  host: string,
  refusal: ProviderRefusal,
  context: RequestContext,
): OidcError {
  const { error, description } = refusal;
  const { step, secretSent, grantType } = context;
  const reason = reasonOf(error, context, description);
  const refused = { description, secretSent, grantType };
  const advice =
    (reason === "invalid_scope"
      ? { ...adviceAboutScopes(context), ...remedyOf(namedAdviceFor({ ...refused, error })) }
      : undefined) ??
    adviceFor({ ...refused, error: reason ?? error }) ??
    adviceFor({ ...refused, error }) ??
    usualAdvice(context);
  return new OidcError(
    code,
    sentences(`${host} refused (${step}: ${sanitizeProviderText(error)}).`, advice.meaning ?? ""),
    {
      remedy: advice.remedy,
      quote: description,
      // "access_denied: access_denied" says nothing more.
      reason: reason === code ? undefined : reason,
      providerError: error,
      providerErrorDescription: description,
    },
  );
}

/** A failure of the server rather than of the request: the same call may succeed later, so it is retryable. */
export function serverFailure(
  host: string,
  answer: Pick<HttpAnswer, "status">,
  step: string,
  {
    error,
    words,
  }: { readonly error?: ServerError | undefined; readonly words?: string | undefined },
): OidcError {
  return new OidcError("network", `${host} could not answer (${step}: status ${answer.status}).`, {
    reason: error ?? "server_error",
    remedy: "Try again; if it stays this way, ask the provider's administrator.",
    quote: words,
    providerError: error,
    providerErrorDescription: words,
  });
}

/**
 * True where an empty body says as much as an OAuth error would: of the statuses of RFC 6749 section 5.2 and those in
 * their place, 401 and 403 may be about the client's secret where one was sent, and every other one about the way there.
 */
function isWordlessRefusal(answer: HttpAnswer, { secretSent }: RequestContext): boolean {
  if (answer.body.length > 0) return false;
  return answer.status === 400 || (!secretSent && [401, 403].includes(answer.status));
}

/** An error by which a provider says that it failed, not the request. */
export type ServerError = "server_error" | "temporarily_unavailable";

/** True for an error by which a provider says that it failed, not the request. */
export function isServerError(error: string): error is ServerError {
  return error === "server_error" || error === "temporarily_unavailable";
}

// Providers and the gateways before them, where RFC 6585's status 429 would be the word.
const rateLimitWords: ReadonlySet<string> = new Set([
  "rate_limit_exceeded",
  "rate_limited",
  "too_many_requests",
]);

/** The error where a provider says by a word, not by its status, that it was asked too often. */
function rateLimitIn(
  body: Readonly<Record<string, unknown>>,
  answer: HttpAnswer,
  step: string,
): OidcError | undefined {
  const word = textOf(body["error"]) ?? ownWordsIn(body).code;
  if (word === undefined || !rateLimitWords.has(word.toLowerCase())) return undefined;
  const wait = /^\d{1,6}$/.exec(answer.headers["retry-after"]?.trim() ?? "")?.[0];
  return new OidcError(
    "rate_limited",
    `${hostAndPort(answer.url)} has had too many requests (${step}, status ${answer.status}).`,
    {
      remedy: `Try again ${wait === undefined ? "later" : `in ${wait} s`}.`,
      retryAfterSeconds: wait === undefined ? undefined : Number(wait),
    },
  );
}

/** The error for a refusal that names no OAuth error. */
function unnamedRefusal(
  answer: HttpAnswer,
  body: JsonObjectResult,
  context: RequestContext,
): OidcError {
  const { step, bearer, secrets } = context;
  const { status } = answer;
  const words = body.ok ? reasonInOwnWords(body.value, secrets) : undefined;
  const isEnd = words !== undefined && endsRefreshToken(words, context);
  const reason = isEnd
    ? "invalid_grant"
    : bearer === true && status === 401
      ? "invalid_token"
      : isWordlessRefusal(answer, context)
        ? "empty"
        : "no_error_member";
  const advice =
    (isEnd ? adviceFor({ error: reason, description: words, ...context }) : undefined) ??
    usualAdvice(context);
  const form = body.ok || answer.body.length === 0 ? "" : `, ${body.why}`;
  const how = words === undefined ? "refused without saying why" : "refused";
  return new OidcError(
    "token_request_failed",
    sentences(
      `${hostAndPort(answer.url)} ${how} (${step}: status ${status}${form}).`,
      advice.meaning ?? "",
    ),
    { reason, remedy: advice.remedy, quote: words, providerErrorDescription: words },
  );
}

/**
 * The error for an answer that is not a success: `token_request_failed` for a refusal (with status 200 too),
 * `rate_limited` for one by such a word, `network` where the server failed, `token_response_invalid` for what is neither
 * a JSON object nor a form.
 */
export function refusedAnswer(answer: HttpAnswer, context: RequestContext): OidcError {
  const host = hostAndPort(answer.url);
  const { step, secrets } = context;
  const body = readAnswerObject(answer);
  const judged = { ...context, status: answer.status };
  const refusal = body.ok ? refusalIn(body.value, secrets) : undefined;
  if (body.ok && (refusal !== undefined || answer.status >= 400)) {
    const rateLimit = rateLimitIn(body.value, answer, step);
    if (rateLimit !== undefined) return rateLimit;
  }
  if (refusal !== undefined) {
    const { error, description } = refusal;
    if (isServerError(error)) {
      return serverFailure(host, answer, step, { error, words: description });
    }
    return refusalError("token_request_failed", host, refusal, judged);
  }
  if (answer.status >= 500) {
    const words = body.ok ? reasonInOwnWords(body.value, secrets) : undefined;
    return serverFailure(host, answer, step, { words });
  }
  if (body.ok || answer.status >= 300) return unnamedRefusal(answer, body, judged);
  return new OidcError("token_response_invalid", `${host} answered with ${body.why} (${step}).`, {
    reason: "response_malformed",
  });
}
