// The session of one credential: opened at its first call, closed once.

import { isOidcError, sanitizeProviderText, withSignInTold } from "../core/errors.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import type { AccessToken, GetTokenOptions, TokenListener } from "../core/types.ts";
import { run, say, type Wording } from "../core/wording.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import { closedError } from "../session/lifetime.ts";
import type { Session } from "../session/session-types.ts";
import { TokenListeners } from "../session/token-listeners.ts";
import { plainValiditySeconds } from "./call-options.ts";

/** How a person signs in to the program that embeds this one, as a sentence; undefined where it names neither way. */
function signInSentence({ signInCommand, applicationName }: ResolvedOptions): Wording | undefined {
  if (signInCommand !== undefined) return say`Run \`${run(signInCommand)}\`.`;
  if (applicationName === undefined) return undefined;
  return say`Sign in again with ${sanitizeProviderText(applicationName)}.`;
}

/** Opens and closes the session of a credential. */
export class SessionHandle {
  readonly #make: () => Promise<Session>;
  readonly #signInSentence: Wording | undefined;
  #opened: Promise<Session> | undefined;
  #session: Session | undefined;
  #isClosed = false;
  readonly #listeners = new TokenListeners();

  /** `signedInSince`: when the credential was made, in milliseconds, for `forceLogin`. */
  constructor(options: ResolvedOptions, kind: CredentialKind, signedInSince?: number) {
    this.#signInSentence = signInSentence(options);
    this.#make = madeOnce(async () => {
      const { compose } = await loadPart(() => import("./compose.ts"));
      const outside = {
        renewsAhead: true,
        listeners: this.#listeners,
        ...(signedInSince === undefined ? {} : { signedInSince }),
      };
      return (this.#session = compose(options, outside, kind).session);
    });
  }

  /**
   * Does something with the session; where that fails, the error says how to sign in to the embedding program.
   * Rejects with `aborted`, reason `closed`, after {@link SessionHandle.close}.
   */
  async use<Result>(work: (session: Session) => Promise<Result>): Promise<Result> {
    if (this.#isClosed) throw closedError();
    try {
      return await work(await (this.#opened = this.#make()));
    } catch (error) {
      const sentence = this.#signInSentence;
      throw sentence !== undefined && isOidcError(error) ? withSignInTold(error, sentence) : error;
    }
  }

  /** The token of the last moment, for a call that wants nothing else; undefined where the session must be asked. */
  remembered(options: GetTokenOptions | undefined): Promise<AccessToken> | undefined {
    if (this.#session === undefined || this.#isClosed) return undefined;
    const minValiditySeconds = plainValiditySeconds(options);
    return minValiditySeconds === undefined
      ? undefined
      : this.#session.remembered(minValiditySeconds);
  }

  /** The last token in memory, while it is valid. */
  peek(): AccessToken | undefined {
    return this.#isClosed ? undefined : this.#session?.peek();
  }

  /** @throws {OidcError} `invalid_option`; `aborted`, reason `closed`. */
  subscribe(listener: TokenListener): () => void {
    if (this.#isClosed) throw closedError();
    return this.#listeners.add(listener);
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#listeners.clear();
    const session = await this.#opened?.catch(() => undefined);
    await session?.close();
  }
}
