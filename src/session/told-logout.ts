// What a logout comes to that the provider was told of.

import type { LogoutResult } from "../core/types.ts";
import type { SessionRecord } from "../record/format.ts";
import type { Flows } from "./flows.ts";
import { logoutUrlOf } from "./logout-url.ts";

/** When a sign-in's own access token ends, where that is known. */
function endOf({ accessToken }: SessionRecord): Date | undefined {
  const seconds = accessToken?.expiresAt ?? undefined;
  return seconds === undefined ? undefined : new Date(seconds * 1000);
}

/** The result for whoever logged out. */
export function toldLogout(
  forgotten: SessionRecord,
  { revoked, accessTokenStays }: Awaited<ReturnType<Flows["revoke"]>>,
): LogoutResult {
  const logoutUrl = logoutUrlOf(forgotten);
  return {
    forgotten: 1,
    revoked,
    ...(accessTokenStays ? { accessTokenStays: { until: endOf(forgotten) } } : {}),
    ...(logoutUrl === undefined ? {} : { logoutUrl }),
  };
}
