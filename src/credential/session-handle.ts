// The session of one credential: opened at its first call, closed once.

import { loadPart, madeOnce } from "../core/load.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import { closedError } from "../session/lifetime.ts";
import type { Session } from "../session/session-types.ts";

/** Opens and closes the session of a credential. */
export class SessionHandle {
  readonly #make: () => Promise<Session>;
  #opened: Promise<Session> | undefined;
  #isClosed = false;

  /** `signedInSince`: when the credential was made, in milliseconds, for `forceLogin`. */
  constructor(options: ResolvedOptions, kind: CredentialKind, signedInSince?: number) {
    this.#make = madeOnce(async () => {
      const { compose } = await loadPart(() => import("./compose.ts"));
      const outside = {
        renewsAhead: true,
        ...(signedInSince === undefined ? {} : { signedInSince }),
      };
      return compose(options, outside, kind).session;
    });
  }

  /** Rejects with `aborted`, reason `closed`, after {@link SessionHandle.close}. */
  open(): Promise<Session> {
    if (this.#isClosed) return Promise.reject(closedError());
    return (this.#opened = this.#make());
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const session = await this.#opened?.catch(() => undefined);
    await session?.close();
  }
}
