// Interactive sign-in as a credential. Changes when the public class does.

import type { OidcIssuerSource } from "../core/oidc-issuer.ts";
import type {
  AccessToken,
  CallOptions,
  Credential,
  GetTokenOptions,
  LogoutOptions,
  LogoutResult,
  TokenListener,
} from "../core/types.ts";
import { cacheFilePath, thisMachine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { InteractiveOptions, ResolvedOptions } from "../options/types.ts";
import { cacheFileName, recordKey } from "../record/key.ts";
import type { SignIn, UserInfoClaims } from "../session/session-types.ts";
import type { TokenStore } from "../store/token-store.ts";
import { checkedAbortOptions, checkedCallOptions, checkedLogoutOptions } from "./call-options.ts";
import { fetchOf } from "./credential-fetch.ts";
import { defineOptionProperties, givenOptions } from "./option-properties.ts";
import { SessionHandle } from "./session-handle.ts";

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
  readonly #handle: SessionHandle;
  #fetch: typeof globalThis.fetch | undefined;

  /**
   * @throws {OidcError} `invalid_option` for an unknown name, a wrong kind or an impossible value; `insecure_url` for
   * an `http:` address beyond loopback.
   */
  constructor(options: OidcAuthOptions = {}) {
    this.#options = resolveOptions(options, "interactive");
    this.#handle = new SessionHandle(this.#options, "interactive", Date.now());
    defineOptionProperties(this, this.#options, "interactive");
  }

  getToken(options?: GetTokenOptions): Promise<AccessToken> {
    return this.#handle.remembered(options) ?? this.#getToken(options);
  }

  async #getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const checked = checkedCallOptions(options);
    return this.#handle.use((session) => session.getToken(checked));
  }

  /**
   * Signs in anew, whatever is cached, and gives who it was.
   * @throws {OidcError} `cache_write_failed` where the sign-in could not be kept, and the codes of
   * {@link OidcAuth.getToken}.
   */
  async login(options?: CallOptions): Promise<SignIn> {
    const checked = checkedAbortOptions(options);
    return (await this.#handle.use((session) => session.login(checked))).signIn;
  }

  /**
   * What is cached for these options, without any request and without a token; undefined where nothing is.
   * @throws {OidcError} `cache_insecure`, `cache_unreadable`, `store_unavailable`.
   */
  async status(): Promise<SignIn | undefined> {
    return this.#handle.use((session) => session.status());
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
  withServer(server: string | OidcIssuerSource): OidcAuth {
    return new OidcAuth({ ...givenOptions(this.#options), server });
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * What the provider's userinfo endpoint says of the person; its `sub` is the ID token's.
   * @throws {OidcError} `subject_changed`, `token_response_invalid`, and the codes of {@link OidcAuth.getToken}.
   * @see OpenID Connect Core section 5.3
   */
  async userInfo(options?: CallOptions): Promise<UserInfoClaims> {
    const checked = checkedAbortOptions(options);
    return this.#handle.use((session) => session.userInfo(checked));
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
}
