// Turns a provider's "no" into one error: what was refused, where, why, what to change. Changes when errors carry more.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import type { OidcErrorCode } from "../core/errors.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { hostOf } from "../core/hosts.ts";
import { readAnswerObject } from "./answer-body.ts";
import { adviceFor, reasonOf } from "./error-words.ts";

/** What was asked, as far as a message may say it. */
export interface RequestContext {
  readonly step: string;
  readonly grantType?: string;
  /** The answer's status, where it tells something about the refusal. */
  readonly status?: number;
  readonly secretSent: boolean;
  /** Everything in the request that must not come back in an error, should the provider repeat it. */
  readonly secrets: readonly (string | undefined)[];
}

// Shorter values are no secrets of ours, and would tear holes into ordinary words.
const shortestSecret = 4;

/** A provider's text without what we sent to it, for providers that say "code abc is not valid". */
export function withoutSecrets(text: string, secrets: RequestContext["secrets"]): string {
  let safe = text.slice(0, 4096);
  for (const secret of secrets) {
    if (secret === undefined || secret.length < shortestSecret) continue;
    for (const form of new Set([secret, encodeURIComponent(secret)])) {
      safe = safe.replaceAll(form, "[redacted]");
    }
  }
  // A secret that the cut has torn is no longer found as a whole.
  return text.length > 4096 ? safe.slice(0, 1024) : safe;
}

/** The members of an OAuth error, without our secrets. */
export interface ProviderRefusal {
  readonly error: string;
  readonly description: string | undefined;
}

/** The OAuth error in an answer's body; undefined where there is none. */
export function refusalIn(
  body: Readonly<Record<string, unknown>>,
  secrets: RequestContext["secrets"],
): ProviderRefusal | undefined {
  const { error, error_description: description } = body;
  if (typeof error !== "string" || error === "") return undefined;
  return {
    error: withoutSecrets(error, secrets),
    description: typeof description === "string" ? withoutSecrets(description, secrets) : undefined,
  };
}

/** The error for a refusal, with advice where the refusal is a known one. */
export function refusalError(
  code: OidcErrorCode,
  host: string,
  refusal: ProviderRefusal,
  context: RequestContext,
): OidcError {
  const { error, description } = refusal;
  const { step, secretSent, grantType, status } = context;
  const reason = reasonOf(error, grantType, status);
  const refused = { description, secretSent, grantType };
  const advice =
    adviceFor({ ...refused, error }) ??
    (reason === undefined ? undefined : adviceFor({ ...refused, error: reason }));
  const words = [`${host} refused (${step}: ${sanitizeProviderText(error)}).`];
  words.push(
    advice ?? "Check `clientId`, `scopes` and the client's registration with the provider.",
  );
  if (description !== undefined && description.trim() !== "") {
    words.push(`The provider says: "${sanitizeProviderText(description)}"`);
  }
  return new OidcError(code, words.join(" "), {
    // "access_denied: access_denied" says nothing more.
    reason: reason === code ? undefined : reason,
    providerError: error,
    providerErrorDescription: description,
  });
}

/** A failure of the server rather than of the request: the same call may succeed later, so it is retryable. */
export function serverFailure(
  host: string,
  answer: Pick<HttpAnswer, "status">,
  step: string,
  error?: string,
): OidcError {
  return new OidcError(
    "network",
    `${host} could not answer (${step}: status ${answer.status}). Try again; if it stays so, ask the provider's administrator.`,
    { reason: error ?? "server_error", providerError: error },
  );
}

/**
 * True where an empty body says as much as an OAuth error would: of the statuses of RFC 6749 section 5.2 and those in
 * their place, 401 and 403 may be about the client's secret where one was sent, and every other one about the way there.
 */
function isWordlessRefusal(answer: HttpAnswer, { secretSent }: RequestContext): boolean {
  if (answer.body.length > 0) return false;
  return answer.status === 400 || (!secretSent && [401, 403].includes(answer.status));
}

/** Errors by which a provider says that it failed, not the request. */
export const passingErrors: readonly string[] = ["server_error", "temporarily_unavailable"];

/**
 * The body of a successful answer.
 * @throws {OidcError} `token_request_failed` for a refusal (with status 200 too), `token_response_invalid` for anything
 * that is neither a JSON object nor a form, `network` where the server failed.
 */
export function successfulBody(
  answer: HttpAnswer,
  context: RequestContext,
): Readonly<Record<string, unknown>> {
  const host = hostOf(answer.url);
  const { step } = context;
  const body = readAnswerObject(answer);
  const refusal = body.ok ? refusalIn(body.value, context.secrets) : undefined;
  if (refusal !== undefined) {
    if (passingErrors.includes(refusal.error)) {
      throw serverFailure(host, answer, step, refusal.error);
    }
    throw refusalError("token_request_failed", host, refusal, {
      ...context,
      status: answer.status,
    });
  }
  if (answer.status >= 500) throw serverFailure(host, answer, step);
  if (answer.status >= 300) {
    const empty = answer.body.length === 0;
    throw new OidcError(
      "token_request_failed",
      `${host} refused without saying why (${step}: status ${answer.status}${body.ok || empty ? "" : `, ${body.why}`}). Check \`clientId\`, \`clientSecret\` and the client's registration.`,
      { reason: isWordlessRefusal(answer, context) ? "empty" : "no_error_member" },
    );
  }
  if (!body.ok) {
    throw new OidcError("token_response_invalid", `${host} answered with ${body.why} (${step}).`, {
      reason: "response_malformed",
    });
  }
  return body.value;
}
