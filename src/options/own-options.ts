// Options of a public function as an object that can be read safely: own properties alone, every name known.

import { OidcError } from "../core/errors.ts";
import { nearestName } from "../core/nearest.ts";
import { ownProperties } from "../core/own-properties.ts";

/** An option that does not exist. */
export function unknownOption(name: string, known: readonly string[]): OidcError {
  const nearest = nearestName(name, known);
  return new OidcError(
    "invalid_option",
    `There is no option \`${name.slice(0, 80)}\`.`,
    nearest === undefined ? {} : { remedy: `Did you mean \`${nearest}\`?` },
  );
}

/** @throws {OidcError} `invalid_option` for anything but a plain object. `example` completes "an object such as". */
export function assertOptionsObject(given: unknown, example: string): asserts given is object {
  if (typeof given === "object" && given !== null && !Array.isArray(given)) return;
  throw new OidcError("invalid_option", `Options are an object such as ${example}.`);
}

/**
 * What was given, read once: own properties alone, on no prototype.
 * @throws {OidcError} `invalid_option` for what is not an object, and for a name that is not known.
 */
export function ownOptions(
  given: unknown,
  known: readonly string[],
  example: string,
): Readonly<Record<string, unknown>> {
  assertOptionsObject(given, example);
  const own = ownProperties(given) as Record<string, unknown>;
  const unknown = Object.keys(own).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownOption(unknown, known);
  return own;
}
