// A token request that a test keeps waiting. Changes when tests hold requests in another way.

import type { IdentityProvider } from "./identity-provider.ts";

/** One request that waits. */
export interface HeldRequest {
  /** Resolves when the request has come. */
  readonly arrived: Promise<void>;
  /** Lets it go on. */
  readonly release: () => void;
}

/** The next token request waits at the provider's door, or its answer does: the provider has handled it then. */
export function holdNextTokenRequest(
  identityProvider: IdentityProvider,
  what: "request" | "answer" = "request",
): HeldRequest {
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const arrived = new Promise<void>((resolve) => {
    identityProvider.tamper({
      path: "token",
      times: 1,
      respond: async (_request, genuine) => {
        const early = what === "answer" ? await genuine() : undefined;
        resolve();
        await released;
        return early ?? genuine();
      },
    });
  });
  return { arrived, release };
}
