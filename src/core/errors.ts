// The one error class, as it leaves the public functions. Its codes and reasons are those of the error table.

import type { OidcErrorCode, Reason } from "./error-codes.ts";
import type { Decisions } from "./decisions.ts";
import { decisionsFor } from "./error-table.ts";
import { ownProperties } from "./own-properties.ts";
import { sentences, worded, withSignInSaid, type Wording } from "./wording.ts";

export type { OidcErrorCode, Reason } from "./error-codes.ts";

/** What an {@link OidcError} carries besides its code and what happened. */
export interface OidcErrorDetails<Code extends OidcErrorCode = OidcErrorCode> {
  /** A finer stable string, where one is defined for the code. */
  reason?: Reason<Code> | undefined;
  /** What to do next. */
  remedy?: string | Wording | undefined;
  /** The lower error. Only errors without secrets may be given: the HTTP layer strips bodies and headers first. */
  cause?: unknown;
  /** The provider's `error` (RFC 6749 section 5.2). */
  providerError?: string | undefined;
  /** The provider's `error_description`, shortened and without control characters. */
  providerErrorDescription?: string | undefined;
  /** What the provider says itself, where the message is to quote it at its end. */
  quote?: string | undefined;
  /** Seconds to wait before another try, for `rate_limited`. */
  retryAfterSeconds?: number | undefined;
}

/** An error as it crosses a process boundary (one process fails, every process that waited for it fails alike). */
export interface SerializedOidcError {
  code: OidcErrorCode;
  /** The whole message in the library's words. */
  message: string;
  /** What happened, in pieces. Absent where the message says no more. */
  summary?: Wording;
  remedy?: Wording;
  quote?: string;
  reason?: string;
  providerError?: string;
  providerErrorDescription?: string;
  retryAfterSeconds?: number;
}

// Shared by every copy of the package in one process, so that `isOidcError` is true across duplicate installations.
const brand = Symbol.for("latchkey.OidcError");

const maxProviderText = 200;

/**
 * Makes text from outside safe to show: no control, escape or bidirectional formatting characters, and cut
 * (default 200 characters).
 */
export function sanitizeProviderText(text: string, longest: number = maxProviderText): string {
  // C0, DEL, C1, line and paragraph separators, bidirectional controls, zero-width characters, lone surrogates.
  const safe = text
    .slice(0, longest * 4)
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]+/gu,
      " ",
    )
    .replace(/\p{Surrogate}/gu, "\ufffd")
    .trim();
  return safe.length > longest ? `${safe.slice(0, longest)}…` : safe;
}

/**
 * The one error class that leaves Latchkey's public functions. Test `code` (and `reason`), never the message.
 */
export class OidcError<Code extends OidcErrorCode = OidcErrorCode> extends Error {
  override readonly name: string = "OidcError";
  /** A stable string: see the table of error codes in the documentation. */
  readonly code: Code;
  /** True where the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  declare readonly reason?: string;
  /**
   * What to do next, in pieces: text, options by their names (`{ option, value? }`), and calls (`{ call }`). The message
   * says the same in the library's words. Absent where there is nothing to do, or where the message leaves it open.
   */
  declare readonly remedy?: Wording;
  declare readonly providerError?: string;
  declare readonly providerErrorDescription?: string;
  declare readonly retryAfterSeconds?: number;
  readonly #summary: Wording;
  readonly #quote: string | undefined;

  /** `summary`: what happened, at which step and host. The message is that, the remedy, and what the provider says. */
  constructor(code: Code, summary: string | Wording, given: OidcErrorDetails<Code> = {}) {
    const details = ownProperties(given);
    const quote = details.quote === undefined ? "" : sanitizeProviderText(details.quote);
    const parts: readonly Wording[] = [
      asWording(summary),
      asWording(details.remedy ?? ""),
      quote === "" ? [] : [`The provider says: "${quote}"`],
    ];
    super(
      worded(sentences(...parts)),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.retryable = decisionsFor(code).retry === "retryable";
    this.#summary = asWording(summary);
    this.#quote = quote === "" ? undefined : quote;
    if (details.reason !== undefined) this.reason = details.reason;
    if (details.remedy !== undefined) this.remedy = asWording(details.remedy);
    if (details.providerError !== undefined) {
      this.providerError = sanitizeProviderText(details.providerError);
    }
    if (details.providerErrorDescription !== undefined) {
      this.providerErrorDescription = sanitizeProviderText(details.providerErrorDescription);
    }
    if (details.retryAfterSeconds !== undefined) this.retryAfterSeconds = details.retryAfterSeconds;
    Object.defineProperty(this, brand, { value: true });
    Object.defineProperty(this, "name", { enumerable: false });
  }

  /** The message in pieces, for whoever has other names for options and calls. */
  wording(): Wording {
    const quote = this.#quote === undefined ? "" : `The provider says: "${this.#quote}"`;
    return sentences(this.#summary, this.remedy ?? [], quote);
  }

  /** The stable part that a waiting process or a log line may have. */
  serialize(): SerializedOidcError {
    const summary = this.#summary;
    const isPlain = this.remedy === undefined && summary.every((part) => typeof part === "string");
    return {
      code: this.code,
      message: this.message,
      ...(isPlain ? {} : { summary }),
      ...(this.remedy === undefined ? {} : { remedy: this.remedy }),
      ...(isPlain || this.#quote === undefined ? {} : { quote: this.#quote }),
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.providerError === undefined ? {} : { providerError: this.providerError }),
      ...(this.providerErrorDescription === undefined
        ? {}
        : { providerErrorDescription: this.providerErrorDescription }),
      ...(this.retryAfterSeconds === undefined
        ? {}
        : { retryAfterSeconds: this.retryAfterSeconds }),
    };
  }

  /** An error from another process made into one of this process. Its reason may be one of a later version. */
  static deserialize(error: SerializedOidcError): OidcError {
    const { reason, summary, remedy, quote, ...rest } = error;
    const details = {
      ...rest,
      reason: reason as Reason<OidcErrorCode> | undefined,
      ...(summary === undefined ? {} : { remedy, quote }),
    };
    return new OidcError(error.code, summary ?? error.message, details);
  }
}

function asWording(said: string | Wording): Wording {
  if (typeof said !== "string") return said;
  return said === "" ? [] : [said];
}

/** True for an error of Latchkey, from whichever installed copy of the package. */
export function isOidcError(value: unknown): value is OidcError {
  return typeof value === "object" && value !== null && Object.hasOwn(value, brand);
}

/** True for an error of Latchkey with this code and, where some are named, one of these reasons. */
export function isErrorOf<Code extends OidcErrorCode>(
  value: unknown,
  code: Code,
  ...reasons: readonly Reason<Code>[]
): value is OidcError<Code> {
  return (
    isOidcError(value) &&
    value.code === code &&
    (reasons.length === 0 || (reasons as readonly unknown[]).includes(value.reason))
  );
}

/** What is decided about an error; undefined for one that is not Latchkey's. */
export function decisionsOf(error: unknown): Decisions | undefined {
  return isOidcError(error) ? decisionsFor(error.code, error.reason) : undefined;
}

/** The message of any error, in pieces. One from another copy of the package may be of a version without them. */
export function wordingOf(error: OidcError): Wording {
  const { wording } = error as Partial<OidcError>;
  return wording === undefined ? [error.message] : error.wording();
}

/** The same error with something to say before it; the error itself is its cause. */
export function introduced(introduction: string, error: OidcError): OidcError {
  const { message, summary = [message], remedy } = error.serialize();
  return toldAs(error, sentences(introduction, summary), remedy);
}

/** The same error with another sentence where it says to sign in anew, if it says so; the error itself is its cause. */
export function withSignInTold(error: OidcError, sentence: Wording): OidcError {
  const { summary = [], remedy = [], quote } = error.serialize();
  const [whatHappened, whatToDo] = [summary, remedy].map((said) => withSignInSaid(said, sentence));
  if (whatHappened === undefined && whatToDo === undefined) return error;
  return toldAs(error, whatHappened ?? summary, whatToDo ?? remedy, quote);
}

/** The same error with something else to say; the error itself is its cause. */
export function toldAs(
  error: OidcError,
  summary: string | Wording,
  remedy?: Wording,
  quote?: string,
): OidcError {
  const { code, reason, providerError, providerErrorDescription, retryAfterSeconds } = error;
  return new OidcError(code, summary, {
    reason: reason as Reason<OidcErrorCode> | undefined,
    remedy,
    quote,
    cause: error,
    providerError,
    providerErrorDescription,
    retryAfterSeconds,
  });
}
