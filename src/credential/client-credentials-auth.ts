// Client credentials as a credential: no person present. Changes when the public class does.

import type { OidcIssuerSource } from "../core/oidc-issuer.ts";
import type {
  AccessToken,
  Credential,
  GetTokenOptions,
  LogoutOptions,
  LogoutResult,
  TokenListener,
} from "../core/types.ts";
import { cacheFilePath, thisMachine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { ClientOptions, ResolvedOptions } from "../options/types.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import type { TokenStore } from "../store/token-store.ts";
import { checkedCallOptions, checkedLogoutOptions } from "./call-options.ts";
import { fetchOf } from "./credential-fetch.ts";
import { defineOptionProperties, givenOptions } from "./option-properties.ts";
import { SessionHandle } from "./session-handle.ts";

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
  readonly #handle: SessionHandle;
  #fetch: typeof globalThis.fetch | undefined;

  /** @throws {OidcError} `invalid_option`, `insecure_url`. */
  constructor(options: OidcCredentialsAuthOptions = {}) {
    this.#options = resolveOptions(options, "client");
    this.#handle = new SessionHandle(this.#options, "client");
    defineOptionProperties(this, this.#options, "client");
  }

  getToken(options?: GetTokenOptions): Promise<AccessToken> {
    return this.#handle.remembered(options) ?? this.#getToken(options);
  }

  async #getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const checked = checkedCallOptions(options);
    return this.#handle.use((session) => session.getToken(checked));
  }

  get fetch(): typeof globalThis.fetch {
    return (this.#fetch ??= fetchOf(this));
  }

  peek(): AccessToken | undefined {
    return this.#handle.peek();
  }

  subscribe(listener: TokenListener): () => void {
    return this.#handle.subscribe(listener);
  }

  async logout(options?: LogoutOptions): Promise<LogoutResult> {
    const checked = checkedLogoutOptions(options);
    return this.#handle.use((session) => session.logout(checked));
  }

  /**
   * The same options for a server, which says what they leave open: issuer, client, scopes, audience.
   * @param server as the option `server`.
   * @throws {OidcError} `invalid_option`, `insecure_url`.
   */
  withServer(server: string | OidcIssuerSource): OidcCredentialsAuth {
    return new OidcCredentialsAuth({ ...givenOptions(this.#options), server });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The absolute path of the cache file that this configuration uses. No input or output. */
  resolvedCachePath(): string {
    const key = recordKey({ kind: "client", options: { ...this.#options } });
    return cacheFilePath(this.#options.cachePath, cacheFileName(key), thisMachine());
  }
}
