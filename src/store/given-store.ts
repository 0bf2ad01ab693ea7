// A store of the caller's own: whatever it throws leaves Latchkey as one of its errors. Changes when stores promise more.

import { isOidcError, OidcError, sanitizeProviderText } from "../core/errors.ts";
import type { TokenStore } from "./token-store.ts";

/** The same store; what it throws is an {@link OidcError}: its own one, else `store_unavailable`. */
export function givenStore(store: TokenStore): TokenStore {
  const { level, location } = store;
  const explain = (cause: unknown): OidcError =>
    isOidcError(cause)
      ? cause
      : new OidcError(
          "store_unavailable",
          `The store of sign-ins (${sanitizeProviderText(location)}) failed.`,
          { remedy: "Its own error is the cause of this one.", cause },
        );
  const guard = async <Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Value> => {
    try {
      return await work();
    } catch (error) {
      // The caller's own reason to abort comes back as it is.
      throw signal?.aborted ? error : explain(error);
    }
  };
  return {
    level,
    location,
    ...(store.reach === undefined ? {} : { reach: store.reach }),
    read: (key) => guard(() => store.read(key)),
    replace: (key, expectedVersion, next, fence) =>
      guard(() => store.replace(key, expectedVersion, next, fence)),
    acquire: async (key, options) => {
      const lease = await guard(() => store.acquire(key, options), options.signal);
      if (!lease.held) return lease;
      return {
        held: true,
        acrossProcesses: lease.acrossProcesses,
        ...(lease.signal === undefined ? {} : { signal: lease.signal }),
        ...(lease.expireIfOverdue === undefined ? {} : { expireIfOverdue: lease.expireIfOverdue }),
        ...(lease.fence === undefined ? {} : { fence: lease.fence }),
        ...(lease.takenOver === undefined ? {} : { takenOver: lease.takenOver }),
        announce: (phase) => {
          try {
            lease.announce(phase);
          } catch (error) {
            throw explain(error);
          }
        },
        finish: (outcome) => guard(() => lease.finish(outcome)),
        abandon: () => guard(() => lease.abandon()),
      };
    },
    list: () => guard(() => store.list()),
    holder: (key) => guard(async () => store.holder?.(key)),
    tidy: (key) => guard(async () => store.tidy?.(key)),
    ...(store.discard === undefined
      ? {}
      : { discard: (key) => guard(async () => (await store.discard?.(key)) ?? 0) }),
    levelOf: (key) => guard(async () => (await store.levelOf?.(key)) ?? level),
  };
}
