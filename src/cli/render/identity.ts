// An identity as `latchkey whoami` shows it to people. Changes when its look does.

import { sanitizeProviderText } from "../../core/errors.ts";
import { pairs } from "./layout.ts";

// The standard claims that say who somebody is (OpenID Connect Core 5.1), in the order of interest; `--json` has all.
const shownClaims: readonly (readonly [label: string, claim: string])[] = [
  ["name", "name"],
  ["user name", "preferred_username"],
  ["email", "email"],
  ["subject", "sub"],
  ["client", "client_id"],
  ["issuer", "iss"],
];

function textOf(claims: Readonly<Record<string, unknown>>, claim: string): string | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (typeof value !== "string") return undefined;
  const text = sanitizeProviderText(value, 300);
  return text === "" ? undefined : text;
}

const namingClaims: readonly string[] = ["name", "preferred_username", "email"];

/** A few lines, one claim each. `name`: what the person is called where no claim names them. */
export function identityText(
  claims: Readonly<Record<string, unknown>>,
  columns: number,
  name?: string,
): string {
  const isNamed = namingClaims.some((claim) => textOf(claims, claim) !== undefined);
  const shown = isNamed || name === undefined ? claims : { ...claims, name };
  return pairs(
    shownClaims.map(([label, claim]) => [label, textOf(shown, claim)] as const),
    columns,
  );
}
