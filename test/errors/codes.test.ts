// Every error code, provoked at a real provider or at a server that answers wrongly. Changes when the code gains one of
// the contract's.

import { expect, test } from "vitest";
import { errorCodes } from "../../src/core/error-table.ts";
import { cache } from "./cache.ts";
import { optionsAndProvider } from "./options-and-provider.ts";
import type { Provocations } from "./provocation.ts";
import { signIn } from "./sign-in.ts";
import { tokensAndNetwork } from "./tokens-and-network.ts";

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
  cache_locked: "holder_stopped",
  cache_write_failed: "no_such_folder",
  runtime_unavailable: "fetch_missing",
};

const provoked = Object.entries(provocations);

// A holder that is stopped is waited for some seconds before that is said (cache_locked).
test.each(provoked)("%s", { timeout: 30_000 }, async (code, provoke) => {
  const { code: met, reason } = await provoke();
  expect([met, reason]).toEqual([code, reasons[code]]);
});

test("every code has its provocation", () => {
  expect(provoked.map(([code]) => code).toSorted()).toEqual([...errorCodes].toSorted());
});
