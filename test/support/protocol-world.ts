// The world that the protocol's tests run in: real HTTP and files, a clock that can be moved. Changes when the protocol
// needs more of the world.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { isOidcError } from "../../src/core/errors.ts";
import type { OidcError } from "../../src/core/errors.ts";
import type { LatchkeyEvent } from "../../src/core/events.ts";
import { createHttpClient } from "../../src/http/client.ts";
import type { ProviderOptions, ProviderWorld } from "../../src/provider/metadata.ts";
import { makeCertificateAuthority } from "./certificates.ts";
import type { IdentityProvider, IdentityProviderOptions } from "./identity-provider.ts";
import { startIdentityProvider } from "./identity-provider.ts";
import { forgeToken, genuineClaims } from "./token-forge.ts";
import type { ForgeOptions } from "./token-forge.ts";
import { worded, type Wording } from "../../src/core/wording.ts";

export interface ProtocolWorld extends ProviderWorld {
  readonly warnings: string[];
  readonly events: LatchkeyEvent[];
  /** Moves the wall clock. */
  advance(seconds: number): void;
}

const cleanups: (() => Promise<unknown>)[] = [];

/** To be called after each test. */
export async function cleanUp(): Promise<void> {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
}

/** It ends with its worker: a file after this one goes on with it. */
let workersProvider: Promise<IdentityProvider> | undefined;

/**
 * Without options the one provider of the worker, its rules and counts taken back after each test; with options,
 * `{}` too, one of its own that ends with the test.
 */
export async function startProvider(options?: IdentityProviderOptions): Promise<IdentityProvider> {
  if (options !== undefined) {
    const own = await startIdentityProvider(options);
    cleanups.push(() => own.close());
    return own;
  }
  workersProvider ??= startIdentityProvider();
  const provider = await workersProvider;
  provider.resetRequests();
  return {
    ...provider,
    tamper: (rule) => {
      const undo = provider.tamper(rule);
      cleanups.push(async () => undo());
      return undo;
    },
  };
}

/**
 * A provider with a private authority, for what is kept of `https:` issuers alone: `caCertPath` is the bundle for
 * {@link makeWorld}.
 */
export async function startSecureProvider(): Promise<{
  readonly provider: IdentityProvider;
  readonly caCertPath: string;
}> {
  const authority = await makeCertificateAuthority();
  cleanups.push(() => authority.dispose());
  return { provider: await startProvider({ tls: authority }), caCertPath: authority.caPath };
}

export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-protocol-"));
  cleanups.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A process of its own, as it were: nothing in memory; `cacheFolder` is what it shares with others. */
export function makeWorld(
  options: { cacheFolder?: string; timeoutSeconds?: number; caCertPath?: string } = {},
): ProtocolWorld {
  let movedMilliseconds = 0;
  const clock = { ...systemClock, now: () => Date.now() + movedMilliseconds };
  const warnings: string[] = [];
  const events: LatchkeyEvent[] = [];
  const shared = {
    clock,
    randomBytes: (length: number) => randomBytes(length),
    onWarning: (code: string, said: string | Wording) =>
      void warnings.push(`${code}: ${worded(said)}`),
    logger: (event: LatchkeyEvent) => void events.push(event),
  };
  const http = createHttpClient({
    ...shared,
    timeoutSeconds: options.timeoutSeconds ?? 30,
    caCertPath: options.caCertPath,
    allowInsecureHttp: false,
    environment: {},
  });
  return {
    ...shared,
    http,
    cacheFolder: options.cacheFolder,
    warnings,
    events,
    advance: (seconds) => {
      movedMilliseconds += seconds * 1000;
    },
  };
}

/** The options of the test provider's public client. */
export function optionsFor(
  provider: Pick<IdentityProvider, "issuer" | "clients">,
  more: Partial<ProviderOptions> = {},
): ProviderOptions {
  return {
    issuer: provider.issuer,
    clientId: provider.clients.public.clientId,
    allowInsecureHttp: false,
    flow: "auto",
    ...more,
  };
}

/** The OidcError with which something ends; its printed forms are free of `secrets`. */
export async function failureOf(
  promise: Promise<unknown>,
  secrets: readonly string[] = [],
): Promise<OidcError> {
  const outcome: unknown = await promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );
  if (!isOidcError(outcome)) throw new Error("expected an OidcError", { cause: outcome });
  const { inspect } = await import("node:util");
  const printed = [
    inspect(outcome, { depth: 10, showHidden: true }),
    JSON.stringify(outcome),
    JSON.stringify(outcome.serialize()),
  ].join("\n");
  for (const secret of secrets) expect(printed).not.toContain(secret);
  return outcome;
}

/** Answers the token endpoint with `members`, and an ID token with `claims` over the genuine ones. */
export function answerTokens(
  provider: IdentityProvider,
  answer: {
    members?: Readonly<Record<string, unknown>>;
    claims?: Readonly<Record<string, unknown>>;
    clientId?: string;
    forge?: ForgeOptions;
    /** In place of a forged one; null: none. */
    idToken?: string | null;
  } = {},
): () => void {
  const clientId = answer.clientId ?? provider.clients.public.clientId;
  return provider.tamper({
    path: "token",
    respond: async () => {
      const claims = { ...genuineClaims(provider.issuer, clientId), ...answer.claims };
      const idToken =
        answer.idToken === undefined ? await forgeToken(claims, answer.forge) : answer.idToken;
      const body = {
        access_token: "access-token-for-alice",
        token_type: "Bearer",
        expires_in: 3600,
        ...(idToken === null ? {} : { id_token: idToken }),
        ...answer.members,
      };
      const headers = { "content-type": "application/json" };
      return { status: 200, headers, body: JSON.stringify(body) };
    },
  });
}
