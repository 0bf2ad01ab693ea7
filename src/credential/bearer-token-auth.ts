// A token that the caller already has, as a credential. Changes when another source of such tokens is added.

import { isBearerToken } from "../core/bearer-token.ts";
import { OidcError } from "../core/errors.ts";
import { maxTokenCharacters } from "../core/limits.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import { defineHidden } from "../core/secret.ts";
import type {
  AccessToken,
  Credential,
  GetTokenOptions,
  GivenToken,
  LogoutOptions,
  LogoutResult,
  TokenListener,
} from "../core/types.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { ownOptions } from "../options/own-options.ts";
import { absolutePath, thisMachine } from "../options/paths.ts";
import type { StaticTokens, StaticTokenSource } from "../session/static-token.ts";
import { Lifetime } from "../session/lifetime.ts";
import { TokenListeners } from "../session/token-listeners.ts";
import { checkedCallOptions, checkedLogoutOptions } from "./call-options.ts";
import { fetchOf } from "./credential-fetch.ts";

/** Options of {@link BearerTokenAuth}: exactly one of the three. */
export type BearerTokenAuthOptions =
  | {
      /** The bearer token (visible ASCII characters without space, comma and quote). */
      readonly token: string;
    }
  | {
      /** A file with the token and nothing else, such as one that a platform renews. `~` expands. Read again when it changes. */
      readonly tokenFile: string;
    }
  | {
      /**
       * Gives the token. Asked again when the token's known end comes near, when a token was refused, and each time
       * where no end is known. Calls at once share one answer.
       */
      readonly getToken: () => Promise<string | GivenToken> | string | GivenToken;
    };

/** What was given, read back; secrets are not enumerable. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- the constructor defines these properties
export interface BearerTokenAuth {
  readonly token: string | undefined;
  readonly tokenFile: string | undefined;
}

const optionNames = ["token", "tokenFile", "getToken"] as const;

function refuse(summary: string | Wording, remedy?: string | Wording): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

function fixedToken(token: unknown): StaticTokenSource {
  if (!isBearerToken(token)) {
    throw refuse(
      say`${option("token")} is not a bearer token.`,
      "Accepted: visible ASCII characters without space, comma and quote.",
    );
  }
  return { name: "`token`", read: () => Promise.resolve({ token }) };
}

function tokenInFile(tokenFile: unknown): StaticTokenSource {
  if (typeof tokenFile !== "string" || tokenFile === "" || tokenFile.includes("\u0000")) {
    throw refuse(say`${option("tokenFile")} must be the path of a file.`);
  }
  return {
    name: "`tokenFile`",
    read: async () => {
      const { readUserFileSync } = await loadPart(() => import("../files/secure-read.ts"));
      const path = absolutePath(tokenFile, thisMachine());
      const bytes = readUserFileSync(path, {
        what: "token file",
        maxBytes: maxTokenCharacters,
        code: "invalid_option",
      });
      if (bytes === undefined) {
        throw refuse(
          `There is no token file ${path}.`,
          say`Check ${option("tokenFile")}, or wait until it is written.`,
        );
      }
      return { token: bytes.toString("utf8").trim() };
    },
  };
}

function tokenOfFunction(getToken: unknown): StaticTokenSource {
  if (typeof getToken !== "function") throw refuse(say`${option("getToken")} must be a function.`);
  return {
    name: "`getToken`",
    read: async () => {
      const given: unknown = await (getToken as () => unknown)();
      if (typeof given === "string") return { token: given };
      const { token, expiresAt } = (given ?? {}) as { token?: unknown; expiresAt?: unknown };
      return {
        // What is no token is refused where it is looked at.
        token: typeof token === "string" ? token : "",
        expiresAt:
          expiresAt instanceof Date && Number.isFinite(expiresAt.getTime()) ? expiresAt : undefined,
      };
    },
  };
}

function sourceOf(given: Readonly<Record<string, unknown>>): StaticTokenSource {
  const set = optionNames.filter((name) => given[name] !== undefined);
  if (set.length !== 1) {
    throw refuse(
      set.length === 0 ? "No token is given." : "More than one source of tokens is given.",
      say`Set exactly one of ${option("token")}, ${option("tokenFile")} and ${option("getToken")}.`,
    );
  }
  switch (set[0]) {
    case "tokenFile":
      return tokenInFile(given["tokenFile"]);
    case "getToken":
      return tokenOfFunction(given["getToken"]);
    default:
      return fixedToken(given["token"]);
  }
}

/**
 * Hands out a token that comes from outside: a fixed one, a file's, a function's. Nothing is cached on disk. A token
 * without a known end is served until it is reported as rejected. It is what it is: `scopes`, `resource`, `acrValues`
 * and `maxAgeSeconds` of a call do not change it.
 */
export class BearerTokenAuth implements Credential {
  readonly #tokens: () => Promise<StaticTokens>;
  readonly #listeners = new TokenListeners();
  #opened: StaticTokens | undefined;
  #fetch: typeof globalThis.fetch | undefined;
  readonly #lifetime = new Lifetime();

  /** @throws {OidcError} `invalid_option`. */
  constructor(options: BearerTokenAuthOptions) {
    const given = ownOptions(options, optionNames, "{ tokenFile }");
    const source = sourceOf(given);
    this.#tokens = madeOnce(async () => {
      const { StaticTokens } = await loadPart(() => import("../session/static-token.ts"));
      return (this.#opened = new StaticTokens(source, this.#lifetime, this.#listeners));
    });
    defineHidden(this, "token", given["token"]);
    Object.defineProperty(this, "tokenFile", { value: given["tokenFile"], enumerable: true });
  }

  /**
   * @throws {OidcError} `login_required` where there is no other token than a refused or an ended one, or an ID token
   * is wanted; `invalid_option` where the file cannot be read; `token_response_invalid` where it holds no bearer
   * token; `token_request_failed` (reason `token_function_failed`); `aborted`.
   */
  async getToken(options?: GetTokenOptions): Promise<AccessToken> {
    const checked = checkedCallOptions(options);
    return (await this.#tokens()).get(checked);
  }

  get fetch(): typeof globalThis.fetch {
    return (this.#fetch ??= fetchOf(this));
  }

  peek(): AccessToken | undefined {
    return this.#opened?.peek();
  }

  subscribe(listener: TokenListener): () => void {
    this.#lifetime.assertOpen();
    return this.#listeners.add(listener);
  }

  /** Forgets nothing, because nothing is kept. */
  async logout(options?: LogoutOptions): Promise<LogoutResult> {
    checkedLogoutOptions(options);
    return { forgotten: 0, revoked: "no" };
  }

  close(): Promise<void> {
    this.#listeners.clear();
    return this.#lifetime.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
