// The error table: what it decides, and what does not compile.

import { expect, expectTypeOf, test } from "vitest";
import type { OidcErrorCode } from "./error-codes.ts";
import { decisionsFor, errorCodes, isOidcErrorCode, reasonsOf } from "./error-table.ts";
import { decisionsOf, isErrorOf, OidcError } from "./errors.ts";

test("a reason belongs to its code: a misspelt one, or another code's, does not compile", () => {
  const errors = [
    new OidcError("callback_invalid", "x", { reason: "opened_twice" }),
    // @ts-expect-error misspelt
    new OidcError("callback_invalid", "x", { reason: "opend_twice" }),
    // @ts-expect-error a reason of `network`
    new OidcError("callback_invalid", "x", { reason: "dns" }),
    // @ts-expect-error this code has none
    new OidcError("state_mismatch", "x", { reason: "other" }),
  ].length;
  expect(errors).toBe(4);
  // @ts-expect-error misspelt, where an error is looked at
  expect(isErrorOf(undefined, "login_required", "refresh_last")).toBe(false);
  expectTypeOf(new OidcError("timeout", "x").code).toEqualTypeOf<"timeout">();
});

test("what a reason decides differs from its code, and from nothing else", () => {
  const timeout = decisionsFor("timeout");
  expect(decisionsFor("timeout", "connect")).toEqual({ ...timeout, request: "unsent" });
  expect(decisionsFor("timeout", "operation")).toEqual(timeout);
  expect(decisionsFor("timeout", "of a later version")).toEqual(timeout);
  expect(decisionsFor("timeout", "toString")).toEqual(timeout);
  expect(decisionsOf(new OidcError("timeout", "x", { reason: "connect" }))?.request).toBe("unsent");
  expect(decisionsOf(new Error("x"))).toBeUndefined();
});

const retryable: readonly OidcErrorCode[] = [
  "network",
  "timeout",
  "provider_unavailable",
  "rate_limited",
  "callback_port_in_use",
  "cache_locked",
  "interaction_pending",
];

test("the contract's codes are retryable, and no other but a process that could not do the work", () => {
  const found = errorCodes.filter((code) => new OidcError(code, "x").retryable);
  expect(found.toSorted()).toEqual([...retryable, "runtime_unavailable"].toSorted());
});

test("what is over by itself may be tried again, and no person is over by itself", () => {
  const kinds = errorCodes.map((code) => ({ code, ...decisionsFor(code) }));
  const transient = kinds.filter(({ duration }) => duration === "transient");
  expect(transient.filter(({ retry }) => retry === "final")).toEqual([]);
  expect(transient.filter(({ person }) => person !== "none")).toEqual([]);
});

test("a reason has its code's exit status, and may be tried again as its code", () => {
  const seen = (code: OidcErrorCode, reason?: string) => {
    const { exitCode, retry } = decisionsFor(code, reason);
    return { code, exitCode, retry };
  };
  for (const code of errorCodes) {
    for (const reason of reasonsOf(code)) expect(seen(code, reason)).toEqual(seen(code));
  }
});

test.each(["toString", "__proto__", "constructor", "Network", "", 1, null, undefined])(
  "%s is no error code",
  (value) => {
    expect(isOidcErrorCode(value)).toBe(false);
  },
);
