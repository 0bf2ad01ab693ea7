// What the codes of shared stores and keychains mean to a person: a part of error-texts.ts.

import type { ErrorReasons } from "./error-codes.ts";

type Code = "store_unavailable" | "keychain_unavailable";

/** The codes of stores in words. */
export const storeTexts: {
  readonly [Each in Code]: {
    readonly meaning: string;
    readonly remedy: string;
    readonly reasons: Readonly<Record<ErrorReasons[Each], string>>;
  };
} = {
  store_unavailable: {
    meaning: "a store of your own, or a shared one such as Redis, failed",
    remedy:
      "look at `cause`, or do what the message says; after `lock_lost` and `lock_overdue` try again",
    reasons: {
      lock_lost: "it gave the lock of a running renewal to somebody else",
      lock_overdue: "the time of the lock was over before the renewal was sent",
      unreachable: "Redis does not answer",
      refused: "Redis does not do what it is asked for",
      untrusted: "the certificate of Redis is not trusted here",
      closed: "the store in Redis was closed",
      client_missing: "no package to reach Redis with is installed",
      key_unavailable: "the function that gives the key of the store failed",
      other_key: "the sign-in is sealed with another key than those that were given",
    },
  },
  keychain_unavailable: {
    meaning: "the system's keychain cannot be used, and the key of the sign-ins is in there",
    remedy: "what the message says; or keep the sign-ins in plain files",
    reasons: {
      package_missing: "the package that reaches it is not installed, or not for this system",
      no_service: "no keychain runs here",
      locked: "it is locked, and nobody unlocked it",
      foreign_entry: "its entry for Latchkey is not a key",
      failed: "it refused for another reason, which is the cause",
    },
  },
};
