// A session whose time passes 20 times as fast, so that the 5 seconds between two polls of a provider take a quarter of
// one. Changes when tests of waiting need more.

import { compose, type ComposeOverrides } from "../../src/credential/compose.ts";
import type { LatchkeyEvent, OidcAuthOptions } from "../../src/index.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { Session } from "../../src/session/session-types.ts";
import { createFastClock } from "../support/fast-clock.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { GenuineAnswer } from "../support/provider-tampering.ts";
import { desktop, person, trustOf, type Person } from "./harness.ts";

/** A session, the person in front of it, and what was logged. */
export interface Desk {
  readonly session: Session;
  readonly someone: Person;
  readonly logged: LatchkeyEvent[];
}

/** A session in fast time; limits are wide, so that only what a test is about runs out. */
export function desk(
  identityProvider: IdentityProvider,
  options: OidcAuthOptions = {},
  overrides: ComposeOverrides = {},
  someone: Person = person(trustOf(identityProvider)),
): Desk {
  const logged: LatchkeyEvent[] = [];
  const resolved = resolveOptions(
    {
      ...desktop(identityProvider, someone),
      flow: "device",
      httpTimeoutSeconds: 600,
      callbackTimeoutSeconds: 600,
      logger: (event: LatchkeyEvent) => logged.push(event),
      ...options,
    },
    "interactive",
  );
  const { session } = compose(resolved, { clock: createFastClock(20), ...overrides });
  return { session, someone, logged };
}

/** Changes members of a JSON answer of the provider; the result undoes it. */
export function change(
  identityProvider: IdentityProvider,
  path: "device" | "discovery",
  members: Readonly<Record<string, unknown>>,
): () => void {
  return identityProvider.tamper({
    path,
    respond: async (_request, genuine) => {
      const real = await genuine();
      return { ...real, body: JSON.stringify({ ...JSON.parse(real.body), ...members }) };
    },
  });
}

/** An OAuth error in place of an answer. */
export function refusal(error: string): () => Promise<GenuineAnswer> {
  return async () => ({
    status: 400,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ error }),
  });
}
