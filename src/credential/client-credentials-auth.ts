// Client credentials as a credential: no person present. Changes when the public class does.

import { loadPart, madeOnce } from "../core/load.ts";
import type { AccessToken, Credential, GetTokenOptions, LogoutResult } from "../core/types.ts";
import { cacheFilePath, thisMachine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { ClientOptions, ResolvedOptions } from "../options/types.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import type { Session } from "../session/session-types.ts";
import type { TokenStore } from "../store/token-store.ts";
import { checkedCallOptions } from "./call-options.ts";
import { defineOptionProperties } from "./option-properties.ts";

/** Options of {@link OidcCredentialsAuth}: `clientSecret` is needed, the rest as for an interactive sign-in. */
export interface OidcCredentialsAuthOptions extends Omit<ClientOptions, "store"> {
  /** Where tokens are kept. Default: one file for each configuration, shared by all processes of the user. */
  store?: TokenStore | undefined;
}

/** The options as read back: what was set, or the default. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor defines these properties
export interface OidcCredentialsAuth extends Readonly<
  Pick<ResolvedOptions, Exclude<keyof ClientOptions, "store">>
> {
  readonly store: TokenStore | undefined;
}

/**
 * Signs a program in as itself (RFC 6749 section 4.4): no browser, no person, no refresh token. Default scopes: none.
 */
export class OidcCredentialsAuth implements Credential {
  readonly #options: ResolvedOptions;

  /** @throws {OidcError} `invalid_option`, `insecure_url`. */
  constructor(options: OidcCredentialsAuthOptions = {}) {
    this.#options = resolveOptions({ ...options }, "client");
    defineOptionProperties(this, this.#options, "client");
  }

  async getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const checked = checkedCallOptions(options);
    return (await this.#open()).getToken(checked);
  }

  async logout(options: { revoke?: boolean | undefined } = {}): Promise<LogoutResult> {
    return (await this.#open()).logout(options);
  }

  /** The absolute path of the cache file that this configuration uses. No input or output. */
  resolvedCachePath(): string {
    const key = recordKey({ kind: "client", options: { ...this.#options } });
    return cacheFilePath(this.#options.cachePath, cacheFileName(key), thisMachine());
  }

  readonly #open: () => Promise<Session> = madeOnce(async () => {
    const { compose } = await loadPart(() => import("./compose.ts"));
    return compose(this.#options, { renewsAhead: true }, "client").session;
  });
}
