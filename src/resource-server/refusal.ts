// What a request is refused with: the error for the server's own log, the status and the challenge for the client.

import { OidcError, type Reason } from "../core/errors.ts";

/** The codes that a resource server refuses with. */
export type RefusalCode =
  | "invalid_request"
  | "invalid_token"
  | "insufficient_scope"
  | "provider_unavailable";

/** What the answer to a refused request needs. */
export interface RefusalDetails<Code extends RefusalCode> {
  readonly reason?: Reason<Code> | undefined;
  readonly status: number;
  /** The value of `WWW-Authenticate`; undefined for an answer that has none. */
  readonly challenge?: string | undefined;
  /** The value of `DPoP-Nonce`; undefined for an answer that has none. */
  readonly dpopNonce?: string | undefined;
  readonly remedy: string;
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** A refused request. `reason` and the message are for the server; a client is sent `status` and `challenge` alone. */
export class Refusal<Code extends RefusalCode = RefusalCode> extends OidcError<Code> {
  /** The status of the answer: 400, 401, 403 or 503. */
  readonly status: number;
  /** The value of the header `WWW-Authenticate`; undefined where the answer has none. RFC 6750 section 3. */
  readonly challenge: string | undefined;
  /** The value of the header `DPoP-Nonce`: the client's next proof has to hold it. RFC 9449 section 9. */
  readonly dpopNonce: string | undefined;
  readonly #parts: { readonly code: Code; readonly summary: string };
  readonly #details: RefusalDetails<Code>;

  constructor(code: Code, summary: string, details: RefusalDetails<Code>) {
    const { reason, remedy, retryAfterSeconds, cause } = details;
    super(code, summary, { reason, remedy, retryAfterSeconds, cause });
    this.status = details.status;
    this.challenge = details.challenge;
    this.dpopNonce = details.dpopNonce;
    this.#parts = { code, summary };
    this.#details = details;
  }

  /** The same refusal with another challenge. */
  withChallenge(challenge: string): Refusal<Code> {
    const { code, summary } = this.#parts;
    return new Refusal(code, summary, { ...this.#details, challenge });
  }
}

/** A value as a quoted string (RFC 9110 section 5.6.4), without what no header can carry. */
function quoted(value: string): string {
  return `"${value.replaceAll(/[^\u0020-\u007e]/g, "").replaceAll(/["\\]/g, "\\$&")}"`;
}

/** The challenge with these parameters, in their order; undefined ones are left out. */
export function challengeOf(
  scheme: "Bearer" | "DPoP",
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${quoted(value)}`],
  );
  return given.length === 0 ? scheme : `${scheme} ${given.join(", ")}`;
}
