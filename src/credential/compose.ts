// The composition root: builds the real world and everything that works in it. Changes when parts are put together in
// another way.

import { dirname } from "node:path";
import { isatty } from "node:tty";
import { systemClock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { loadPart, madeOnce } from "../core/load.ts";
import { ownProperties } from "../core/own-properties.ts";
import type { PromptEvent, PromptHandler } from "../core/prompt.ts";
import { warningEvent, type Warn } from "../core/warning.ts";
import type { World } from "../core/world.ts";
import type { FlowWorld } from "../flow/flow-world.ts";
import { providerOptions } from "../flow/provider-input.ts";
import type { AddressGuard } from "../http/address-guard.ts";
import type { Dialer, HttpClient, RequestOpener } from "../http/exchange.ts";
import { absenceOfPeople } from "../interaction/presence.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { hostOfLocks } from "../lock/host.ts";
import { absolutePath, stateFolder, thisMachine, type Machine } from "../options/paths.ts";
import type { CredentialKind } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ProviderMetadata } from "../provider/provider-types.ts";
import { bindsClient, recordKey } from "../record/key.ts";
import { renewalsOfThisProcess } from "../session/renewal-turns.ts";
import { StoredSession } from "../session/session.ts";
import type { TokenListeners } from "../session/token-listeners.ts";
import type { Session } from "../session/session-types.ts";
import { givenStore } from "../store/given-store.ts";
import { createUnavailableStore } from "../store/unavailable-store.ts";
import type { TokenStore } from "../store/token-store.ts";
import type { AskingParts, ServerAnswer } from "./ask-server.ts";
import type { ResourceInHand } from "./ask-resource.ts";
import { assembleFlows } from "./assembled-flows.ts";
import { createLatePrompt } from "./late-prompt.ts";
import { loadedLater, memoryLater } from "./late-store.ts";
import { openFiles, randomBytes, type FileStoreParts } from "./open-file-store.ts";
import { openFileStore } from "./open-plain-store.ts";
import { configFromOptions, configFromResource, settingsFromOptions } from "./sign-in-source.ts";

/** A session with the world that it works in. */
export interface Composition {
  readonly world: World;
  readonly store: TokenStore;
  readonly session: Session;
  readonly key: string;
  /** What the provider says of itself (`anew`: now, whatever is kept), and what options say in its place. @throws {OidcError} as discovery does. */
  readonly describeProvider: (
    signal: AbortSignal,
    how?: { readonly anew?: boolean },
  ) => Promise<ProviderMetadata>;
  /** What the server that the options name says, whether it counts or not. @throws {OidcError} `server_config_failed`. */
  readonly readServer: (signal: AbortSignal) => Promise<ServerAnswer>;
  /** What sends requests to a server of the user's own, as the provider's are sent. */
  readonly openRequests: () => Promise<HttpClient & RequestOpener & Dialer>;
  /** What a server is asked with; opened at the first use. */
  readonly openAsking: () => Promise<AskingParts>;
}

/** Showing something never breaks a sign-in. */
function guarded(handler: PromptHandler): PromptHandler {
  return (event: PromptEvent) => {
    try {
      // One that is asynchronous fails later, and would end the process as an unhandled rejection.
      Promise.resolve(handler(event)).catch(() => undefined);
    } catch {
      // The embedding program's handler failed; the sign-in goes on without it.
    }
  };
}

/** What a caller of {@link compose} may set besides the options. */
export interface ComposeOverrides extends Partial<World> {
  /** Used where nobody sets `onPrompt`. Default: the terminal's, loaded at its first event. */
  readonly defaultPrompt?: PromptHandler | undefined;
  /** When a credential with `forceLogin` was made, in milliseconds since the epoch. Default: now. */
  readonly signedInSince?: number;
  /** Renews tokens in the background: for programs that go on running. Default: false, as a command does not. */
  readonly renewsAhead?: boolean;
  /** Told of each new token. Default: nobody. */
  readonly listeners?: TokenListeners;
  /** What the resource said last that sign-ins are for. Default: the options say it, or the server that they name. */
  readonly resourceInHand?: () => ResourceInHand;
}

/** The world of a configuration: the real one, with what the caller replaces. */
export function composeWorld(
  options: ResolvedOptions,
  outside: Partial<World> = {},
  defaultPrompt?: PromptHandler,
): World {
  const overrides = ownProperties(outside);
  const environment = overrides.environment ?? process.env;
  const platform = overrides.platform ?? process.platform;
  const clock = overrides.clock ?? systemClock;
  // An `onPrompt` of the embedding program reaches whomever it reaches.
  const isDefaultPrompt = overrides.prompt === undefined && options.onPrompt === undefined;
  const absence = isDefaultPrompt
    ? absenceOfPeople({ environment, platform, isTerminal: isatty, options })
    : undefined;
  return {
    clock,
    randomBytes,
    environment,
    platform,
    logger: options.logger,
    canPrompt: absence === undefined,
    absence,
    answersQuestions:
      (overrides.canPrompt ?? absence === undefined) &&
      (!isDefaultPrompt || (isatty(0) && isatty(2))),
    terminal: isatty(2),
    background: new Set(),
    openBrowser: async (...words) => {
      try {
        const { createBrowserLauncher } = await loadPart(() => import("../interaction/browser.ts"));
        const launch = createBrowserLauncher({ environment, platform, logger: options.logger });
        return await launch(...words);
      } catch {
        // The person can open the address; no browser is no reason to end a sign-in.
        return { opened: false, problem: "a part of Latchkey could not be loaded" };
      }
    },
    whyNoBrowser: async (command) => {
      try {
        const { createBrowserSearch } = await loadPart(() => import("../interaction/browser.ts"));
        return await createBrowserSearch({ environment, platform, logger: options.logger })(
          command,
        );
      } catch {
        // Whether there is one decides about what is offered besides, and about nothing else.
        return undefined;
      }
    },
    ...overrides,
    prompt: guarded(
      overrides.prompt ??
        options.onPrompt ??
        defaultPrompt ??
        createLatePrompt(async () => {
          const { createDefaultPrompt } = await loadPart(() => import("./default-prompt.ts"));
          return createDefaultPrompt({ environment, clock });
        }),
    ),
  };
}

/** A server without a name: what it says, and what comes of that, lasts as long as the object. */
function isUnnamed(server: ResolvedOptions["server"]): boolean {
  return typeof server === "object" && server.address === undefined;
}

/** The store of a configuration: the caller's, else one file. */
function composeStore(options: ResolvedOptions, world: World, machine: Machine): TokenStore {
  if (options.store !== undefined) return givenStore(options.store as TokenStore);
  if (isUnnamed(options.server)) return memoryLater(world.clock);
  const { clock } = world;
  try {
    const parts = cacheFileParts(options, world, machine);
    return options.storage === "file"
      ? openFileStore(parts)
      : lateKeychainStore(parts, options.storage);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return createUnavailableStore(error, clock);
  }
}

/**
 * Where the cache files of a configuration are.
 * @throws {OidcError} `cache_write_failed`, reason `no_home`.
 */
export function cacheFileParts(
  options: ResolvedOptions,
  world: World,
  machine: Machine = thisMachine(world.environment),
): FileStoreParts {
  const { clock, logger } = world;
  const { cachePath } = options;
  const path = cachePath === undefined ? undefined : absolutePath(cachePath, machine);
  // Where no home is known, the lock's file lies beside the cache that was named.
  const folder = path === undefined ? stateFolder(machine) : lockFolder(machine, dirname(path));
  return { folder, path, clock, logger, onWarning: warnWith(world) };
}

/** The files with a keychain's key, whose code is loaded when they are first used. */
function lateKeychainStore(parts: FileStoreParts, storage: "auto" | "keychain"): TokenStore {
  const isAuto = storage === "auto";
  const level = isAuto ? "file-permissions" : "keychain";
  return loadedLater(level, parts.path ?? parts.folder, async () => {
    const { openKeychainStore } = await loadPart(() => import("./open-sealed-store.ts"));
    return openKeychainStore(openFiles(parts), isAuto ? "auto" : "sealed", parts);
  });
}

function lockFolder(machine: Machine, otherwise: string): string {
  return folderOrNone(machine) ?? otherwise;
}

function warnWith(world: World): Warn {
  return (code, said) => world.prompt(warningEvent(code, said));
}

function folderOrNone(machine: Machine): string | undefined {
  try {
    return stateFolder(machine);
  } catch {
    // Without a home folder nothing is remembered between runs; the store reports it where it matters.
    return undefined;
  }
}

/** Builds the network on first use, once. */
function networkOpener(
  options: ResolvedOptions,
  world: World,
  machine: Machine,
): () => Promise<FlowWorld & { readonly http: HttpClient & RequestOpener & Dialer }> {
  return madeOnce(async () => {
    const { createHttpClient } = await loadPart(() => import("../http/client.ts"));
    const onWarning = warnWith(world);
    const folder = folderOrNone(machine);
    const { clock, logger } = world;
    const guard = await guardFor(options);
    return {
      ...world,
      cacheFolder: folder,
      // Whichever store is used: two programs with different stores want the same port all the same. No `onWarning`:
      // where the folder cannot be written, the lock of the sign-in itself has said so.
      portLock:
        folder === undefined
          ? undefined
          : createProcessLock({ folder, clock, randomBytes, logger }),
      onWarning,
      http: createHttpClient({
        clock: world.clock,
        logger: world.logger,
        timeoutSeconds: options.httpTimeoutSeconds,
        caCertPath:
          options.caCertPath === undefined ? undefined : absolutePath(options.caCertPath, machine),
        allowInsecureHttp: options.allowInsecureHttp,
        environment: world.environment,
        randomBytes: world.randomBytes,
        onWarning,
        guard,
      }),
    };
  });
}

/** A provider that a server names may not be where the server itself cannot reach (D18). */
async function guardFor({ issuer, server }: ResolvedOptions): Promise<AddressGuard | undefined> {
  if (issuer !== "" || server === undefined) return undefined;
  const { createAddressGuard } = await loadPart(() => import("../http/address-guard.ts"));
  const address = typeof server === "string" ? server : (server.address ?? "");
  return createAddressGuard(URL.parse(address.replace(/^grpc/i, "http"))?.hostname);
}

/**
 * Puts a session together.
 */
export function compose(
  options: ResolvedOptions,
  overrides: ComposeOverrides = {},
  kind: CredentialKind = "interactive",
): Composition {
  const own = ownProperties(overrides);
  const { signedInSince, defaultPrompt, renewsAhead = false, listeners, ...others } = own;
  const { resourceInHand, ...outside } = others;
  const world = composeWorld(options, outside, defaultPrompt);
  const machine = thisMachine(world.environment);
  const key = recordKey({ kind, options: { ...options } });
  const store = composeStore(options, world, machine);
  const folder = folderOrNone(machine);
  const openWorld = networkOpener(options, world, machine);
  const openAsking = madeOnce(async (): Promise<AskingParts> => {
    const { http } = await openWorld();
    const { composeTrust } = await loadPart(() => import("./compose-trust.ts"));
    const trust = composeTrust(world, folder, options.callbackTimeoutSeconds);
    return { options, http, trust };
  });
  const source =
    resourceInHand === undefined
      ? configFromOptions(options, async (context) => {
          const { askServer } = await loadPart(() => import("./ask-server.ts"));
          return askServer(await openAsking(), context);
        })
      : configFromResource(options, async (context) => {
          const { admitResource } = await loadPart(() => import("./ask-resource.ts"));
          return admitResource(await openAsking(), resourceInHand(), context);
        });
  const settings = settingsFromOptions(options);
  const session = new StoredSession({
    world,
    records: store,
    lock: store,
    flows: assembleFlows({ kind, source, settings, openWorld }),
    config: {
      key,
      issuer: options.issuer,
      clientId: bindsClient(options.clientId, options.registration) ? options.clientId : "",
      configured: { scopes: options.scopes, resource: options.resource },
      isOneAccount: options.loginHint !== undefined,
    },
    signedInSince: options.forceLogin ? (signedInSince ?? world.clock.now()) : null,
    host: () => store.reach ?? hostOfLocks(folder),
    maxUnansweredPrompts: options.maxUnansweredPrompts,
    turns: renewalsOfThisProcess,
    renewsAhead,
    listeners,
  });
  const describeProvider: Composition["describeProvider"] = async (signal, how) => {
    const { openProvider } = await loadPart(() => import("../provider/metadata.ts"));
    const flow = kind === "client" ? "client" : settings.flow;
    const where = providerOptions(await source.read({ signal }), settings, flow);
    return (await openProvider(await openWorld(), where, signal, how)).metadata;
  };
  const readServer = async (signal: AbortSignal): Promise<ServerAnswer> => {
    const { readServer: read } = await loadPart(() => import("./ask-server.ts"));
    return read(await openAsking(), signal);
  };
  const openRequests = async (): Promise<HttpClient & RequestOpener & Dialer> =>
    (await openWorld()).http;
  const openings = { openRequests, openAsking };
  return { world, store, session, key, describeProvider, readServer, ...openings };
}
