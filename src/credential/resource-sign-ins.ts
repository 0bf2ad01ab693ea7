// The sign-ins for the resources of one origin: which of them an address belongs to, and when a person is needed.

import { isErrorOf } from "../core/errors.ts";
import { loadPart } from "../core/load.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import type { ResourceRefusal, ResourceSignIn } from "../fetch/resource-sign-in.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { ResourceInHand, SaidOfResource } from "./ask-resource.ts";
import { compose, type ComposeOverrides, type Composition } from "./compose.ts";
import { givenOptions } from "./option-properties.ts";
import { raceAbort } from "../session/in-process-flight.ts";

/** The sign-in for one resource. */
interface OneResource extends Pick<Composition, "session" | "openAsking"> {
  /** What it said last. */
  inHand: ResourceInHand | undefined;
  /** What was asked for at the last sign-in of this process. */
  asked: readonly string[];
}

// A program that asks for ever new addresses must not make this grow without end.
const maxPaths = 100;

function union(...lists: readonly (readonly string[])[]): readonly string[] {
  return [...new Set(lists.flat())];
}

function addressOf(url: URL): string {
  return url.pathname === "/" ? url.origin : `${url.origin}${url.pathname}`;
}

class ResourceSignIns implements ResourceSignIn {
  readonly #options: ResolvedOptions;
  readonly #overrides: ComposeOverrides;
  readonly #alwaysWanted: () => GetTokenOptions;
  readonly #madeAt = Date.now();
  readonly #resources = new Map<string, OneResource>();
  /** Which resource an address turned out to be a part of. */
  readonly #byAddress = new Map<string, OneResource>();
  #latest: OneResource | undefined;
  /** Questions to a resource that are under way: many requests are refused at once. */
  readonly #asking = new Map<string, Promise<SaidOfResource>>();
  /** Which resource's sign-in a token is from, and when that was. */
  readonly #origins = new WeakMap<AccessToken, { resource: OneResource; signedInAt: number }>();

  constructor(
    options: ResolvedOptions,
    overrides: ComposeOverrides,
    alwaysWanted: () => GetTokenOptions,
  ) {
    this.#options = options;
    this.#overrides = overrides;
    this.#alwaysWanted = alwaysWanted;
  }

  async cached(
    url: URL,
    rejectedToken: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | undefined> {
    const resource = await this.#signedIn(url);
    if (resource === undefined) return undefined;
    try {
      return await this.#tokenOf(resource, { rejectedToken, signal, interactive: false });
    } catch (error) {
      // Whoever may be asked is asked once the resource has said where.
      if (isErrorOf(error, "login_required")) return undefined;
      throw error;
    }
  }

  async signIn(
    refusal: ResourceRefusal,
    signal: AbortSignal | undefined,
  ): Promise<AccessToken | undefined> {
    const { url, refused, stepUp, isTooNarrow } = refusal;
    const answer = await this.#ask(refusal, signal);
    const resource = this.#resourceAt(answer.address);
    this.#remember(url, resource);
    const origin = refused && this.#origins.get(refused);
    const isItsOwn = refused !== undefined && origin?.resource === resource;
    const wanted = refusal.scopes ?? [];
    const known = union(resource.asked, refused?.scopes ?? []);
    if (isTooNarrow && isItsOwn) {
      const current = await this.cached(url, undefined, signal);
      const isWider = wanted.every((scope) => resource.asked.includes(scope));
      // Another request has been told the same, and somebody has signed in for it meanwhile.
      if (current !== undefined && current.token !== refused.token && isWider) return current;
      if (union(known, wanted).length === known.length) return undefined;
    }
    const scopes = isTooNarrow
      ? union(known, wanted)
      : (this.#options.scopes ?? refusal.scopes ?? answer.said.scopes ?? []);
    resource.inHand = { ...answer, scopes };
    const token = await this.#tokenOf(resource, {
      ...stepUp,
      signal,
      // What was refused is not given out again, nor what a renewal of the same sign-in would bring.
      ...(isItsOwn ? { signedInSince: origin?.signedInAt, rejectedToken: refused.token } : {}),
    });
    if (token.source === "login") resource.asked = scopes;
    return token;
  }

  async #tokenOf(
    resource: OneResource,
    wish: Parameters<Composition["session"]["getToken"]>[0],
  ): Promise<AccessToken> {
    const { session } = resource;
    const token = await session.getToken({ ...this.#alwaysWanted(), ...wish });
    const signedInAt = (await session.current())?.signedInAt ?? 0;
    this.#origins.set(token, { resource, signedInAt });
    return token;
  }

  /** The resource that an address belongs to, as far as somebody has signed in for it. */
  async #signedIn(url: URL): Promise<OneResource | undefined> {
    const known = this.#byAddress.get(addressOf(url)) ?? this.#latest;
    if (known !== undefined) return known;
    const { server } = this.#options;
    const addresses = typeof server === "string" ? [server] : [addressOf(url), url.origin];
    for (const address of new Set(addresses)) {
      const resource = this.#resourceAt(address);
      if ((await resource.session.current()) !== undefined) return (this.#latest = resource);
    }
    return undefined;
  }

  #resourceAt(address: string): OneResource {
    const found = this.#resources.get(address);
    if (found !== undefined) return found;
    // None of the caller's are none: what is requested then is the resource's to say.
    const { scopes = [] } = this.#options;
    const given = { ...givenOptions(this.#options), server: address, scopes };
    const resource: OneResource = {
      ...compose(resolveOptions(given, "interactive"), {
        signedInSince: this.#madeAt,
        ...this.#overrides,
        resourceInHand: () => resource.inHand ?? nothingInHand(),
      }),
      inHand: undefined,
      asked: [],
    };
    this.#resources.set(address, resource);
    return resource;
  }

  #remember(url: URL, resource: OneResource): void {
    this.#latest = resource;
    const [oldest] = this.#byAddress.keys();
    if (this.#byAddress.size >= maxPaths && oldest !== undefined) this.#byAddress.delete(oldest);
    this.#byAddress.set(addressOf(url), resource);
  }

  async #ask(
    { url, metadataAddress }: ResourceRefusal,
    signal: AbortSignal | undefined,
  ): Promise<SaidOfResource> {
    const { server } = this.#options;
    const asked = typeof server === "string" ? server : addressOf(url);
    const name = `${asked} ${metadataAddress ?? ""}`;
    const ask = async (): Promise<SaidOfResource> => {
      const { openAsking } = this.#resourceAt(asked);
      const { askResource } = await loadPart(() => import("./ask-resource.ts"));
      const answer = await askResource(await openAsking(), asked, metadataAddress);
      // A server that the caller named is known by that name.
      return server === undefined ? answer : { ...answer, address: asked };
    };
    let asking = this.#asking.get(name);
    if (asking === undefined) {
      asking = ask().finally(() => this.#asking.delete(name));
      this.#asking.set(name, asking);
    }
    return raceAbort(asking, signal);
  }
}

function nothingInHand(): never {
  throw new TypeError("No resource has said anything yet.");
}

/**
 * Makes the sign-ins for the resources of one origin. Nothing is read, opened or requested yet.
 * @param alwaysWanted asked for with every token. Default: nothing.
 */
export function openResourceSignIns(
  options: ResolvedOptions,
  overrides: ComposeOverrides = { renewsAhead: true },
  alwaysWanted: () => GetTokenOptions = () => ({}),
): ResourceSignIn {
  return new ResourceSignIns(options, overrides, alwaysWanted);
}
