// A session with the network replaced by scripted flows and a memory store, for tests. Changes when a session needs
// another thing from outside.

import { systemClock, type Clock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import type { PromptEvent } from "../core/prompt.ts";
import type { World } from "../core/world.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { TokenTarget } from "../record/format.ts";
import type { SignInContext } from "../flow/sign-in-config.ts";
import type { SignInVariant } from "../flow/variant.ts";
import type { SessionRecord } from "../record/format.ts";
import { createMemoryStore } from "../store/memory-store.ts";
import type { TokenStore } from "../store/token-store.ts";
import type { Flows } from "./flows.ts";
import type { RenewalTurns } from "./renewal-turns.ts";
import { StoredSession } from "./session.ts";
import { TokenListeners } from "./token-listeners.ts";
import type { UserInfoClaims } from "./session-types.ts";

export const issuer: string = "https://id.example.com";

/** A store with records as this version writes them, so that tests can look into them. */
export interface OpenStore extends TokenStore {
  read(key: string): Promise<SessionRecord | undefined>;
  replace(
    key: string,
    expectedVersion: string | undefined,
    next: SessionRecord | undefined,
    fence?: number,
  ): Promise<
    { replaced: true } | { replaced: false; current: SessionRecord | undefined; fenced?: true }
  >;
  list(): Promise<readonly SessionRecord[]>;
}

/** A memory store that tests can look into. */
export function openStore(...options: Parameters<typeof createMemoryStore>): OpenStore {
  return createMemoryStore(...options) as OpenStore;
}

export interface Script {
  signIn?: (
    signal: AbortSignal,
    beforePrompt: () => Promise<void>,
    variant: SignInVariant,
    knownMethod: SignInContext["knownMethod"],
  ) => Promise<TokenAnswer>;
  refresh?: (
    record: SessionRecord,
    signal: AbortSignal,
    target: TokenTarget | undefined,
  ) => Promise<TokenAnswer>;
  /** What comes before anything is shown: discovery, the listener. */
  beforeShown?: () => Promise<void>;
  needsPerson?: boolean;
  /** What the userinfo endpoint says. Default: the subject alone. */
  userInfo?: (signal: AbortSignal) => Promise<UserInfoClaims>;
}

let serial = 0;

export function answer(changes: Partial<TokenAnswer> = {}): TokenAnswer {
  serial += 1;
  const now = Math.floor(Date.now() / 1000);
  return {
    accessToken: `access-${String(serial)}`,
    tokenType: "Bearer",
    scopes: ["openid"],
    issuedAt: now,
    expiresAt: now + 3600,
    refreshToken: `refresh-${String(serial)}`,
    claims: { iss: issuer, sub: "alice", aud: "cli", exp: now + 3600, iat: now },
    signatureVerified: true,
    authenticationMethod: "none",
    tokenEndpoint: `${issuer}/token`,
    issuer,
    ...changes,
  };
}

export function expired(changes: Partial<TokenAnswer> = {}): TokenAnswer {
  const now = Math.floor(Date.now() / 1000);
  return answer({ issuedAt: now - 3600, expiresAt: now - 1, ...changes });
}

export class Bench {
  readonly prompts: PromptEvent[] = [];
  readonly calls: string[] = [];
  readonly store: OpenStore;
  readonly session: StoredSession;
  readonly listeners: TokenListeners = new TokenListeners();

  constructor(
    script: Script = {},
    options: {
      store?: OpenStore;
      signedInSince?: number | null;
      canPrompt?: boolean;
      host?: string;
      isOneAccount?: boolean;
      clock?: Clock;
      renewsAhead?: boolean;
      turns?: RenewalTurns;
    } = {},
  ) {
    this.store = options.store ?? openStore();
    const world: World = {
      clock: options.clock ?? systemClock,
      randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      environment: {},
      platform: "linux",
      whyNoBrowser: () => Promise.resolve(undefined),
      openBrowser: () => Promise.resolve({ opened: true }),
      prompt: (event) => this.prompts.push(event),
      logger: undefined,
      canPrompt: options.canPrompt ?? true,
      terminal: false,
      background: new Set(),
    };
    const flows: Flows = {
      needsPerson: script.needsPerson ?? true,
      longestWorkSeconds: { refresh: 5, login: 5 },
      assertConfigured: () => undefined,
      signIn: async (
        { signal, beforePrompt = () => Promise.resolve(), knownMethod },
        variant = {},
      ) => {
        this.calls.push("signIn");
        await script.beforeShown?.();
        await beforePrompt();
        const signIn = script.signIn ?? (() => Promise.resolve(answer()));
        const brought = await signIn(signal, beforePrompt, variant, knownMethod);
        return { clientId: "cli", server: undefined, ...brought };
      },
      refresh: async (record, signal, target) => {
        this.calls.push("refresh");
        return (script.refresh ?? (() => Promise.resolve(answer())))(record, signal, target);
      },
      userInfo: (_record, _token, signal) => {
        this.calls.push("userInfo");
        return (script.userInfo ?? (() => Promise.resolve({ sub: "alice" })))(signal);
      },
      revoke: () => {
        this.calls.push("revoke");
        return Promise.resolve({ revoked: "yes", accessTokenStays: false });
      },
    };
    this.session = new StoredSession({
      world,
      records: this.store,
      lock: this.store,
      flows,
      config: { key: "key", issuer, clientId: "cli", isOneAccount: options.isOneAccount ?? false },
      signedInSince: options.signedInSince ?? null,
      host: () => options.host ?? "this-host",
      maxUnansweredPrompts: 3,
      renewsAhead: options.renewsAhead ?? false,
      listeners: this.listeners,
      ...(options.turns === undefined ? {} : { turns: options.turns }),
    });
  }
}

export async function failure(promise: Promise<unknown>): Promise<OidcError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof OidcError)) throw new Error(`no OidcError but ${String(error)}`);
  return error;
}

/** What must outlive a refresh that failed. */
export function tokensOf(record: SessionRecord | undefined): unknown[] {
  return [record?.accessToken, record?.refreshToken, record?.idToken, record?.renewedAt];
}

/** A store that another session filled with a token that has expired. */
export async function storeWith(first: TokenAnswer): Promise<OpenStore> {
  const bench = new Bench({ signIn: () => Promise.resolve(first) });
  await bench.session.getToken();
  return bench.store;
}

export function unwritable(): OpenStore & { writable: boolean } {
  const inner = openStore();
  const store = {
    ...inner,
    writable: false,
    replace: async (...parameters: Parameters<OpenStore["replace"]>) => {
      if (!store.writable) throw new OidcError("cache_write_failed", "No space left.");
      return inner.replace(...parameters);
    },
  };
  return store;
}

export function deferred<Value>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
  reject: (error: unknown) => void;
} {
  let resolve = (_value: Value): void => {};
  let reject = (_error: unknown): void => {};
  const promise = new Promise<Value>((accept, refuse) => {
    resolve = accept;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
