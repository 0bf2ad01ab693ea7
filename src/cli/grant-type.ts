// A grant that is named by text: in a variable, or in a profile.

import { OidcError } from "../core/errors.ts";
import { grantTypes } from "./flags.ts";

/**
 * The grant, where it is one that can be named.
 * @throws {OidcError} `invalid_option`.
 */
export function checkedGrantType(value: unknown, where: string): string {
  const known: readonly unknown[] = grantTypes;
  if (typeof value === "string" && known.includes(value)) return value;
  throw new OidcError("invalid_option", `${where} does not accept this value.`, {
    remedy: `Accepted: ${grantTypes.join(", ")}.`,
  });
}
