// What can go wrong on the wire that Node has no code for.

/** Why there was no exchange; `code` of the `cause` says more where there is one. */
export type WireFailureKind =
  | "blocked_address"
  | "blocked_port"
  | "connect_timeout"
  | "no_http2"
  | "proxy_hung_up"
  | "proxy_status"
  | "proxy_tls"
  | "response_too_large";

/** A failure of the wire itself, or of the proxy in between. Thrown and caught within `http`. */
export class WireFailure extends Error {
  readonly kind: WireFailureKind;
  /** What the proxy answered, for `proxy_status`. */
  readonly status: number | undefined;

  constructor(kind: WireFailureKind, more: { status?: number; cause?: unknown } = {}) {
    super(kind, more.cause === undefined ? {} : { cause: more.cause });
    this.kind = kind;
    this.status = more.status;
  }
}
