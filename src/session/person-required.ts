// Why a person would have to be asked, where none may be. Changes when there is another reason for it.

import { nowSeconds } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import type { World } from "../core/world.ts";
import { option, say } from "../core/wording.ts";
import type { SessionRecord } from "../record/format.ts";
import { isSignedIn } from "./record-repository.ts";
import { loginRequired, providerOf, remedyOfAbsence, whyNobody } from "./outcomes.ts";
import type { SessionConfig, TokenCriteria } from "./criteria.ts";
import { stepUpRequired, targetNotCovered } from "./variant-errors.ts";
import { unmetStepUpOf } from "./token-variant.ts";

/** The sign-in has no refresh token: it cannot be renewed, however good its access token still is. */
function notRenewable(config: SessionConfig, absence: string | undefined): OidcError {
  return new OidcError(
    "login_required",
    `The sign-in at ${providerOf(config)} has no refresh token, so a new token takes a new sign-in, ${whyNobody(absence)}`,
    {
      reason: "no_token",
      remedy: remedyOfAbsence(
        absence,
        say`The next sign-in may bring one with ${option("offlineAccess")}.`,
      ),
    },
  );
}

/** Nothing renews it, and its time is up: other than none at all, and it can be prevented. */
function hasExpired({ accessToken, refreshToken }: SessionRecord, now: number): boolean {
  const expiresAt = accessToken?.expiresAt ?? null;
  return refreshToken === undefined && expiresAt !== null && expiresAt <= now;
}

/** The error for a call that needs a sign-in and may not ask for one. */
export function personRequired(
  config: SessionConfig,
  record: SessionRecord | undefined,
  criteria: TokenCriteria,
  { clock, absence }: Pick<World, "clock" | "absence">,
): OidcError {
  const now = nowSeconds(clock);
  const { target, stepUp, changedSince } = criteria;
  if (record !== undefined && isSignedIn(record) && record.ended === undefined) {
    if (stepUp !== undefined && unmetStepUpOf(record, stepUp, now) !== undefined) {
      return stepUpRequired(config, stepUp);
    }
    if (target !== undefined) return targetNotCovered(config, target);
    if (changedSince !== null) return notRenewable(config, absence);
    if (hasExpired(record, now)) return loginRequired(config, "expired", { absence });
  }
  return loginRequired(config, record?.ended ?? "no_token", { absence });
}
