// Every error code, provoked at a real provider or at a server that answers wrongly. Changes when the code gains one of
// the contract's.

import { expect, test } from "vitest";
import { knownFlags } from "../../src/cli/arguments.ts";
import { commandNames } from "../../src/cli/command-grammar.ts";
import type { OidcErrorCode } from "../../src/core/error-codes.ts";
import { decisionsFor, errorCodes } from "../../src/core/error-table.ts";
import { optionTable } from "../../src/options/table.ts";
import { cache } from "./cache.ts";
import { optionsAndProvider } from "./options-and-provider.ts";
import type { Failed, Provocations } from "./provocation.ts";
import { resourceServer } from "./resource-server.ts";
import { serverTrust } from "./server-trust.ts";
import { signIn } from "./sign-in.ts";
import { tokensAndNetwork } from "./tokens-and-network.ts";

const provocations: Provocations = {
  ...optionsAndProvider,
  ...signIn,
  ...tokensAndNetwork,
  ...cache,
  ...serverTrust,
  ...resourceServer,
};

/** The finer reason, where the code has one: another check that ends with the same code is not taken for this one. */
const reasons: Readonly<Partial<Record<string, string>>> = {
  keychain_unavailable: "no_service",
  registration_failed: "refused",
  server_config_failed: "not_found",
  discovery_failed: "not_found",
  endpoint_invalid: "token_endpoint",
  callback_invalid: "iss_missing",
  authorization_failed: "login_required",
  login_required: "no_token",
  token_request_failed: "invalid_client",
  token_response_invalid: "access_token",
  id_token_invalid: "id_token_signature",
  invalid_request: "malformed",
  invalid_token: "malformed",
  network: "refused",
  timeout: "operation",
  tls: "unknown_issuer",
  cache_locked: "holder_stopped",
  cache_write_failed: "no_such_folder",
  runtime_unavailable: "crypto_missing",
};

const optionNames = new Set<string>(optionTable.map(({ name }) => name));

/** What a remedy tells to set or to type, and does not exist. */
function unknownIn({ remedy = [], shown = "" }: Failed): string[] {
  const options = remedy.flatMap((part) =>
    typeof part !== "string" && "option" in part ? [part.option] : [],
  );
  const flags = shown.match(/(?<=^|[\s(])--[a-z][a-z-]*/g) ?? [];
  const commands = [...shown.matchAll(/(?<![/\w])latchkey ([a-z]+)/g)].map(([, name = ""]) => name);
  // That of `gnome-keyring-daemon` is another program's.
  const known: readonly string[] = [...commandNames, ...knownFlags(), "--unlock"];
  return [
    ...options.filter((name) => !optionNames.has(name)),
    ...[...flags, ...commands].filter((word) => !known.includes(word)),
  ];
}

/** Codes after which there is nothing to be done, or whose message says so where there is. */
const withoutRemedy = ["aborted"];

const provoked = Object.entries(provocations);

// A holder that is stopped is waited for some seconds before that is said (cache_locked).
test.each(provoked)("%s", { timeout: 30_000 }, async (code, provoke) => {
  const failed = await provoke();
  expect([failed.code, failed.reason]).toEqual([code, reasons[code]]);
  const { exitCode, retry } = decisionsFor(failed.code as OidcErrorCode, failed.reason);
  // What a program meets, or what a command ended with.
  const { retryable = retry === "retryable", status = exitCode } = failed;
  expect({ retryable, status }).toEqual({ retryable: retry === "retryable", status: exitCode });
  expect(unknownIn(failed)).toEqual([]);
  const says = failed.remedy !== undefined || failed.shown !== undefined;
  expect(says).toBe(!withoutRemedy.includes(code));
});

test("every code has its provocation", () => {
  expect(provoked.map(([code]) => code).toSorted()).toEqual([...errorCodes].toSorted());
});
