// One sign-in of a person, by one flow or by two at a time. Changes when what is offered together does.

import { decisionsOf, isOidcError, type OidcErrorCode } from "../core/errors.ts";
import { emit } from "../core/events.ts";
import { hostAndPort } from "../core/hosts.ts";
import { openProvider, speaksAgainstDocument, type Provider } from "../provider/metadata.ts";
import type { TokenAnswer } from "../provider/token-answer.ts";
import {
  explainRefusedClient,
  unsupportedAuthentication,
} from "../provider/unsupported-authentication.ts";
import { signInWithBrowser, type BesideBrowser } from "./auth-code.ts";
import { chooseFlow } from "./choose.ts";
import { asClient, clientOfSignIn, type ClientOfSignIn, type SignInClient } from "./client.ts";
import { signInWithDevice } from "./device.ts";
import type { FlowWorld } from "./flow-world.ts";
import { withTrust } from "./known-endpoints.ts";
import { providerOptions } from "./provider-input.ts";
import { assertListedResource } from "./listed-resource.ts";
import { withResourceRules } from "./resource-rules.ts";
import type { SignInInput } from "./sign-in-config.ts";
import { withVariant, type SignInVariant } from "./variant.ts";

/** One method of signing in. */
export interface SignInMethod {
  readonly flow: "auth_code" | "device";
  start(signal: AbortSignal): Promise<TokenAnswer>;
}

const partings: Partial<Record<OidcErrorCode, string>> = {
  access_denied: "One of the ways to sign in was refused; the other one still counts.",
  callback_timeout: "The time for the browser is up; the code can still be entered.",
  device_code_expired: "The code has expired; the address above still counts.",
};

function isRefusal(error: unknown): boolean {
  return decisionsOf(error)?.person === "refused";
}

/**
 * Starts every method and gives the first success; the others are stopped and have ended when this returns. A method that
 * fails leaves the others alone, unless its failure speaks against the provider or the connection, or is the person's
 * or the caller's wish to stop.
 * @throws {OidcError} the failure that ended all; where each ended by itself `access_denied` if there was one, else the
 * first way's.
 */
export async function firstToFinish(
  world: Pick<FlowWorld, "logger" | "onWarning">,
  host: string,
  methods: readonly SignInMethod[],
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const stop = new AbortController();
  const each = AbortSignal.any([signal, stop.signal]);
  const failures: unknown[] = [];
  let waiting = methods.length;
  const runs = methods.map((method) => method.start(each));
  try {
    return await new Promise<TokenAnswer>((resolve, reject) => {
      for (const [index, run] of runs.entries()) {
        run.then(resolve, (error: unknown) => {
          failures[index] = error;
          waiting -= 1;
          if (!isOidcError(error) || decisionsOf(error)?.race !== "one") {
            reject(error);
            return;
          }
          const refused = failures.find(isRefusal);
          if (waiting === 0) {
            reject(refused ?? failures[0]);
            return;
          }
          const { code } = error;
          const flow = methods[index]?.flow ?? "auth_code";
          emit(world.logger, "login.way_ended", { host, flow, code });
          const parting = stop.signal.aborted ? undefined : partings[code];
          if (parting !== undefined) world.onWarning("sign_in_way_ended", parting);
        });
      }
    });
  } finally {
    stop.abort();
    await Promise.allSettled(runs);
  }
}

/**
 * One method alone until a second one is wanted, if ever; both from then on, as {@link firstToFinish} has it.
 * @throws {OidcError} the first way's error where the second was not begun; else as `firstToFinish`.
 */
export async function joinedLater(
  world: Pick<FlowWorld, "logger" | "onWarning">,
  host: string,
  first: SignInMethod,
  second: SignInMethod,
  isWanted: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<TokenAnswer> {
  const stop = new AbortController();
  const running = first.start(AbortSignal.any([signal, stop.signal]));
  const over = new AbortController();
  const ended = running.then(
    () => "ended" as const,
    () => "ended" as const,
  );
  const wanted = isWanted(AbortSignal.any([signal, over.signal])).then(
    () => "wanted" as const,
    () => ended,
  );
  const next = await Promise.race([ended, wanted]);
  over.abort();
  if (next === "ended") return running;
  const begun: SignInMethod = {
    flow: first.flow,
    start: (each) => {
      each.addEventListener("abort", () => stop.abort(each.reason), { once: true });
      return running;
    },
  };
  return firstToFinish(world, host, [begun, second], signal);
}

/** The device flow beside a browser that did not open, where that is allowed. */
function deviceBeside(
  world: FlowWorld,
  input: SignInInput,
  provider: Provider,
  clientOf: ClientOfSignIn,
): SignInMethod | undefined {
  const isOffered =
    input.settings.flow === "auto" &&
    world.terminal &&
    world.canPrompt &&
    provider.metadata.deviceAuthorizationEndpoint !== undefined;
  if (!isOffered) return undefined;
  return {
    flow: "device",
    start: async (signal) => {
      const own = asClient(input, await clientOf(undefined));
      return signInWithDevice(world, own, provider, signal, { besideBrowser: true });
    },
  };
}

/** What somebody signed in with, and as which client. */
export interface PersonSignIn extends TokenAnswer {
  readonly client: Pick<SignInClient, "clientId" | "registered">;
}

/**
 * Signs a person in: the browser, a device code, or, on a terminal without a browser, both at once. `variant`: what
 * this sign-in is to cover in addition to the configuration.
 * @throws {OidcError} `no_interactive_flow`, codes of discovery and of the flows.
 */
export async function signInPerson(
  world: FlowWorld,
  configured: SignInInput,
  variant: SignInVariant = {},
): Promise<PersonSignIn> {
  const { config, settings, context } = configured;
  const { signal } = context;
  const where = providerOptions(config, settings, settings.flow);
  // Somebody waits here anyway: what answered in the provider's place once does not decide where the code goes today.
  const provider = await openProvider(world, where, signal, { anew: true });
  assertListedResource(config, provider.metadata);
  const unsupported = unsupportedAuthentication(provider.metadata);
  if (unsupported !== undefined) {
    const { what, remedy } = unsupported;
    world.onWarning("client_authentication_unsupported", `${what} ${remedy}`);
  }
  try {
    const ruled = withResourceRules(configured, provider.metadata);
    const input = withVariant(ruled, variant, provider.metadata);
    const chosen = chooseFlow(settings, provider.metadata);
    const clientOf = clientOfSignIn(world, input, provider.metadata);
    const finished = async (answer: TokenAnswer): Promise<PersonSignIn> => {
      const { clientId, registered } = await clientOf(undefined);
      const client = { clientId, ...(registered === undefined ? {} : { registered }) };
      return { ...(await withTrust(world, provider.metadata, answer)), client };
    };
    if (chosen.flow === "device") {
      const { why } = chosen;
      const own = asClient(input, await clientOf(undefined));
      return await finished(await signInWithDevice(world, own, provider, signal, { why }));
    }
    const beside = deviceBeside(world, input, provider, clientOf);
    const host = hostAndPort(provider.metadata.issuer);
    const besideBrowser: BesideBrowser = (browser, byBrowser, stop) => {
      const method: SignInMethod = { flow: "auth_code", start: byBrowser };
      return beside === undefined
        ? byBrowser(stop)
        : joinedLater(world, host, method, beside, (end) => browser.missing(end), stop);
    };
    const answer = await signInWithBrowser(world, input, provider, { besideBrowser, clientOf });
    return await finished(answer);
  } catch (error) {
    if (speaksAgainstDocument(error)) await provider.forgetCached();
    throw explainRefusedClient(error, provider.metadata);
  }
}
