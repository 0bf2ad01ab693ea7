// Changes when tests want to spoil the provider's answers in another way.

/** The endpoints whose answers a test may replace. */
export type TamperPath =
  | "discovery"
  | "jwks"
  | "token"
  | "userinfo"
  | "revocation"
  | "device"
  | "introspection"
  | "pushedAuthorization";

export interface TamperedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the real provider answers, without the headers that belong to the transfer. */
export interface GenuineAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

export interface HostileAnswer {
  status: number;
  headers?: Record<string, string>;
  /** A stream is sent piece by piece and may be endless: the provider stops it when the client leaves. */
  body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

export interface TamperRule {
  path: TamperPath;
  /** How many requests it answers; without it, all until it is undone. */
  times?: number;
  /**
   * Answers instead of the provider. `genuine()` lets the provider do its work (rotate, use up a code), which otherwise
   * never sees the request. `"reset"` breaks the connection without an answer; a promise that stays pending is a silent
   * server until the provider is closed.
   */
  respond(
    request: TamperedRequest,
    genuine: () => Promise<GenuineAnswer>,
  ): Promise<HostileAnswer | "reset">;
}

/** The rules in force; the newest one for a path answers. */
export class Tampering {
  readonly #rules: { rule: TamperRule; left: number }[] = [];

  add(rule: TamperRule): () => void {
    const entry = { rule, left: rule.times ?? Number.POSITIVE_INFINITY };
    this.#rules.unshift(entry);
    return () => {
      entry.left = 0;
    };
  }

  /** The rule that answers a request of this kind; it is used up by one. */
  take(kind: string): TamperRule | undefined {
    const entry = this.#rules.find(({ rule, left }) => rule.path === kind && left > 0);
    if (entry === undefined) return undefined;
    entry.left -= 1;
    return entry.rule;
  }
}
