// Which redirect is followed: one, of metadata, within its origin.

import { OidcError } from "../core/errors.ts";
import type { TransportAnswer } from "../core/world.ts";
import type { FailurePlace } from "./failure.ts";
import { hostAndPort } from "../core/hosts.ts";

function refuse(place: FailurePlace, target: URL | undefined, why: string): OidcError {
  const where = target === undefined ? "an invalid address" : hostAndPort(target);
  return new OidcError(
    "redirect_refused",
    `${place.host} redirected the ${place.step} to ${where}, and ${why}.`,
    { remedy: "Is the address right? Set the one that answers itself." },
  );
}

/**
 * Where an answer redirects to, if that is followed; undefined for an answer that is no redirect.
 * @param mayFollow true for the first answer to a metadata request alone. With credentials on board none is ever
 * followed (RFC 9700 section 4.12).
 * @throws {OidcError} `redirect_refused`, naming both hosts.
 */
export function redirectTarget(
  answer: TransportAnswer,
  from: URL,
  place: FailurePlace,
  mayFollow: boolean,
): URL | undefined {
  const { status, headers } = answer;
  const { location } = headers;
  // 304 is about a copy that the caller has, not about another place.
  if (status < 300 || status > 399 || status === 304 || location === undefined) return undefined;
  answer.discard();
  const target = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (!mayFollow) throw refuse(place, target, "it is not followed");
  // A document must come from the host that was asked: its `issuer` member proves nothing about who served it.
  // The origin includes the scheme, so that nothing is downgraded to http:.
  if (target?.origin !== from.origin || target.username !== "" || target.password !== "") {
    throw refuse(place, target, "redirects are followed within one origin only");
  }
  return target;
}
