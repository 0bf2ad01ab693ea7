// The `fetch` of a credential, or of options for whatever provider a resource names: what is bound to it, and the code
// behind it, loaded at its first call.

import { loadPart, madeOnce } from "../core/load.ts";
import type { Credential } from "../core/types.ts";
import type { ResolvedOptions } from "../options/types.ts";

type Fetch = typeof globalThis.fetch;

/**
 * A `fetch` that sends the tokens of a credential.
 * @param transport sends the requests. Default: what is `globalThis.fetch` now, so that a program may put this one in
 * its place.
 */
export function fetchOf(
  credential: Pick<Credential, "getToken">,
  transport: Fetch = globalThis.fetch,
): Fetch {
  const authorized = madeOnce(async () => {
    const { AuthorizedFetch } = await loadPart(() => import("../fetch/authorized-fetch.ts"));
    const { CredentialTokens } = await loadPart(() => import("../fetch/credential-tokens.ts"));
    return new AuthorizedFetch({
      tokens: new CredentialTokens(credential),
      transport,
      boundTo: credential,
    });
  });
  return async (input, init) => (await authorized()).fetch(input, init);
}

/** A `fetch` that signs in at the provider that the resource names. `transport`: as for {@link fetchOf}. */
export function fetchOfResource(
  options: ResolvedOptions,
  transport: Fetch = globalThis.fetch,
): Fetch {
  const authorized = madeOnce(async () => {
    const { AuthorizedFetch } = await loadPart(() => import("../fetch/authorized-fetch.ts"));
    const { ResourceTokens } = await loadPart(() => import("../fetch/resource-tokens.ts"));
    const { openResourceSignIns } = await loadPart(() => import("./resource-sign-ins.ts"));
    const tokens = new ResourceTokens(openResourceSignIns(options));
    return new AuthorizedFetch({ tokens, transport, boundTo: options });
  });
  return async (input, init) => (await authorized()).fetch(input, init);
}
