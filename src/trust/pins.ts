// What is remembered of the servers that were asked which provider to use, as SSH's known hosts are: types alone.

/** What a server said of the provider: the part of its answer that must not change unseen. */
export interface PinnedAnswer {
  readonly issuer: string;
  /** Empty where the server names none. */
  readonly clientId: string;
  readonly audience: string | undefined;
  /** Undefined where the server names none. */
  readonly scopes: readonly string[] | undefined;
}

/** Who accepted an answer: a person who was shown it, or nobody, because it could not phish at first use. */
export type AcceptedBy = "person" | "first-use";

/** An answer that was accepted. */
export interface Pin extends PinnedAnswer {
  readonly acceptedBy: AcceptedBy;
  /** Milliseconds since the epoch. */
  readonly pinnedAt: number;
}

/** A pin with the server that it is about, by its canonical address. */
export interface ServerPin extends Pin {
  readonly server: string;
}

/** Where pins are kept: apart from tokens, so that they survive a logout. */
export interface PinStore {
  /**
   * The pin of a server; undefined where there is none.
   * @throws {OidcError} `cache_insecure`, `cache_unreadable`: what is not known must not count as never seen.
   */
  read(server: string): Promise<Pin | undefined>;
  /** Every pin. @throws {OidcError} as `read` does. */
  list(): Promise<readonly ServerPin[]>;
  /**
   * Replaces the pin of a server, or forgets it, if it still is `expected`; false where it is another one by now.
   * @throws {OidcError} `cache_write_failed`, and what `read` throws.
   */
  replace(
    server: string,
    expected: Pin | undefined,
    next: Omit<Pin, "pinnedAt"> | undefined,
  ): Promise<boolean>;
  /**
   * Runs a question about a server while no other call or process asks about the same one; undefined where it has just
   * been answered elsewhere, so that the pin is to be read again.
   * @throws {OidcError} what `ask` throws, here or where it was asked; `cache_locked`.
   */
  askAlone<Answer>(
    server: string,
    signal: AbortSignal | undefined,
    ask: () => Promise<Answer>,
  ): Promise<Answer | undefined>;
}

/** True for two looks at the same pin; undefined means none. */
export function isSamePin(one: Pin | undefined, other: Pin | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.issuer === other.issuer &&
    one.clientId === other.clientId &&
    one.audience === other.audience &&
    one.scopes?.join(" ") === other.scopes?.join(" ") &&
    one.acceptedBy === other.acceptedBy &&
    one.pinnedAt === other.pinnedAt
  );
}
