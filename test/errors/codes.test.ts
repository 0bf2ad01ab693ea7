// Every error code, provoked at a real provider or at a server that answers wrongly. Changes when the contract gains a
// code, or src begins to throw one that it only names today.

import { expect, test } from "vitest";
import { errorCodes, type OidcErrorCode } from "../../src/core/errors.ts";
import { isProduct, readSource, sourceFiles } from "../structure/sources.ts";
import { cache } from "./cache.ts";
import { optionsAndProvider } from "./options-and-provider.ts";
import type { Provocations } from "./provocation.ts";
import { signIn } from "./sign-in.ts";
import { tokensAndNetwork } from "./tokens-and-network.ts";

/** Codes that the contract names and no source throws yet: they wait for the stores that will. */
const notThrownYet: readonly OidcErrorCode[] = ["store_unavailable"];

const provocations: Provocations = {
  ...optionsAndProvider,
  ...signIn,
  ...tokensAndNetwork,
  ...cache,
};

/** The finer reason, where the code has one: another check that ends with the same code is not taken for this one. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  discovery_failed: "not_found",
  endpoint_invalid: "token_endpoint",
  callback_invalid: "iss_missing",
  authorization_failed: "login_required",
  login_required: "no_token",
  token_request_failed: "invalid_client",
  token_response_invalid: "access_token",
  id_token_invalid: "id_token_signature",
  network: "refused",
  timeout: "operation",
  tls: "unknown_issuer",
  cache_write_failed: "no_such_folder",
};

const provoked = Object.entries(provocations);

// A process that is met by nothing but silence waits ten seconds before it gives up (cache_locked).
test.each(provoked)("%s", { timeout: 30_000 }, async (code, provoke) => {
  const { code: met, reason } = await provoke();
  expect([met, reason]).toEqual([code, reasons[code]]);
});

test("every code has its provocation, or is thrown by no source", () => {
  const covered = [...provoked.map(([code]) => code), ...notThrownYet];
  expect(covered.toSorted()).toEqual([...errorCodes].toSorted());
});

/** Whether a source hands a code on: as an argument, a member, a result. Lists of codes and comparisons do not. */
function isHandedOn(code: string, source: string): boolean {
  return new RegExp(`(?:\\(|:|\\?|=>|[^=!]=|\\breturn)\\s*"${code}"`).test(source);
}

test.each(notThrownYet)("%s is thrown by no source", (code) => {
  const throwing = sourceFiles()
    .filter((path) => isProduct(path) && path !== "core/errors.ts")
    .filter((path) => isHandedOn(code, readSource(path)));
  expect(throwing).toEqual([]);
});

test("a source that hands a code on is found, one that lists or compares it is not", () => {
  const handing = [
    'new OidcError(\n  "x",\n',
    'fail("x", 1)',
    'code: "x"',
    'return "x"',
    'a ? "x"',
  ];
  expect(handing.filter((source) => !isHandedOn("x", source))).toEqual([]);
  const naming = ['new Set([\n  "w",\n  "x",\n])', 'code === "x"', 'code !== "x"', '| "x"'];
  expect(naming.filter((source) => isHandedOn("x", source))).toEqual([]);
});
