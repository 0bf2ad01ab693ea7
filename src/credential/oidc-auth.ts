// Interactive sign-in as a credential. Changes when the public class does.

import { loadPart, madeOnce } from "../core/load.ts";
import type { AccessToken, Credential, GetTokenOptions, LogoutResult } from "../core/types.ts";
import { cacheFilePath, thisMachine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { InteractiveOptions, ResolvedOptions } from "../options/types.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import type { Session, UserInfoClaims } from "../session/session-types.ts";
import type { TokenStore } from "../store/token-store.ts";
import { checkedCallOptions } from "./call-options.ts";
import { defineOptionProperties } from "./option-properties.ts";

/** Options of {@link OidcAuth}: every one is optional and readable afterwards. */
export interface OidcAuthOptions extends Omit<InteractiveOptions, "store"> {
  /** Where sign-ins are kept. Default: one file for each configuration, shared by all processes of the user. */
  store?: TokenStore | undefined;
}

/** The options as read back: what was set, or the default. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor defines these properties
export interface OidcAuth extends Readonly<Omit<ResolvedOptions, "explicit" | "store">> {
  readonly store: TokenStore | undefined;
}

/**
 * Signs a person in with OpenID Connect and hands out a bearer token that is always valid: cached, refreshed silently
 * or after a sign-in in the browser.
 *
 * The object is cheap: nothing is read, opened or requested before the first call.
 */
export class OidcAuth implements Credential {
  readonly #options: ResolvedOptions;
  readonly #forceLoginSince: number;

  /**
   * @throws {OidcError} `invalid_option` for an unknown name, a wrong kind or an impossible value; `insecure_url` for
   * an `http:` address beyond loopback.
   */
  constructor(options: OidcAuthOptions = {}) {
    this.#options = resolveOptions({ ...options }, "interactive");
    this.#forceLoginSince = Date.now();
    defineOptionProperties(this, this.#options, "interactive");
  }

  async getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const checked = checkedCallOptions(options);
    return (await this.#open()).getToken(checked);
  }

  async logout(options: { revoke?: boolean | undefined } = {}): Promise<LogoutResult> {
    return (await this.#open()).logout(options);
  }

  /**
   * What the provider's userinfo endpoint says of the person; its `sub` is the ID token's.
   * @throws {OidcError} `subject_changed`, `token_response_invalid`, and the codes of {@link OidcAuth.getToken}.
   * @see OpenID Connect Core section 5.3
   */
  async userInfo(options: { signal?: AbortSignal } = {}): Promise<UserInfoClaims> {
    return (await this.#open()).userInfo(options);
  }

  /**
   * The absolute path of the cache file that this configuration uses, `~` expanded. No input or output; depends on
   * the options alone.
   * @throws {OidcError} `cache_write_failed`, reason `no_home`.
   */
  resolvedCachePath(): string {
    const key = recordKey({ kind: "interactive", options: { ...this.#options } });
    return cacheFilePath(this.#options.cachePath, cacheFileName(key), thisMachine());
  }

  readonly #open: () => Promise<Session> = madeOnce(async () => {
    const { compose } = await loadPart(() => import("./compose.ts"));
    const outside = { signedInSince: this.#forceLoginSince, renewsAhead: true };
    return compose(this.#options, outside, "interactive").session;
  });
}
