// What a command cannot do without. Changes when a command needs another option.

import { OidcError } from "../core/errors.ts";
import { option, say } from "../core/wording.ts";
import type { ResolvedOptions } from "../options/types.ts";

/**
 * For commands that look at one cached sign-in, which without an issuer cannot be told from the others.
 * @throws {OidcError} `missing_issuer`.
 */
export function requireIssuer(options: Pick<ResolvedOptions, "issuer" | "server">): void {
  if (options.issuer !== "" || options.server !== undefined) return;
  throw new OidcError("missing_issuer", "It is not said which sign-in is meant.", {
    remedy: say`Set ${option("issuer")} and ${option("clientId")}, or ${option("server")}, or choose a profile with --profile; latchkey status lists what is cached.`,
  });
}
