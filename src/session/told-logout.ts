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

/** The result for whoever logged out; `revoke` tells the provider, where that is wanted. */
export async function toldLogout(
  forgotten: SessionRecord | "unread" | undefined,
  isToldWanted: boolean,
  revoke: (record: SessionRecord) => ReturnType<Flows["revoke"]>,
): Promise<LogoutResult> {
  if (forgotten === undefined) return { forgotten: 0, revoked: "no" };
  if (!isToldWanted) return { forgotten: 1, revoked: "no" };
  // The provider cannot be told of a token that nobody can read.
  if (forgotten === "unread") return { forgotten: 1, revoked: "failed" };
  const { revoked, accessTokenStays } = await revoke(forgotten);
  const logoutUrl = logoutUrlOf(forgotten);
  return {
    forgotten: 1,
    revoked,
    ...(accessTokenStays ? { accessTokenStays: { until: endOf(forgotten) } } : {}),
    ...(logoutUrl === undefined ? {} : { logoutUrl }),
  };
}
