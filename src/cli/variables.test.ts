// Variables that nobody reads are told of, each with what was probably meant.

import { expect, test } from "vitest";
import { environmentNameOf } from "../options/row.ts";
import { optionTable } from "../options/table.ts";
import { unknownVariableWarnings } from "./variables.ts";

test("every variable that counts is known, and an empty one counts as not set", () => {
  const known = [
    ...optionTable
      .filter(({ text }) => text === "all" || text === "secret")
      .map((row) => environmentNameOf(row)),
    "LATCHKEY_PROFILE",
    "LATCHKEY_GRANT_TYPE",
    "LATCHKEY_INTERACTIVE",
    "LATCHKEY_LOG",
    "LATCHKEY_ACCESS_TOKEN",
  ];
  expect(unknownVariableWarnings(Object.fromEntries(known.map((name) => [name, "x"])))).toEqual([]);
  expect(unknownVariableWarnings({ LATCHKEY_NONSENSE: "", PATH: "/bin" })).toEqual([]);
});

test.each([
  ["LATCHKEY_CLIENTID", "Did you mean LATCHKEY_CLIENT_ID?"],
  ["LATCHKEY_ISUER", "Did you mean LATCHKEY_ISSUER?"],
  ["LATCHKEY_SCOPE", "Did you mean LATCHKEY_SCOPES?"],
  ["LATCHKEY_ALLOW_INSECURE_HTTP", "by the flag --allow-insecure-http alone"],
  ["LATCHKEY_CLIENT_SECRET_FILE", "by the flag --client-secret-file alone"],
  ["LATCHKEY_XYZZY_PLUGH", "See: latchkey --help"],
])("%s: %s", (name, advice) => {
  const [warning = "", ...others] = unknownVariableWarnings({ [name]: "hunter2" });
  expect(others).toEqual([]);
  expect(warning).toMatch(/^Warning: .* \[unknown_variable\]$/);
  expect(warning).toContain(advice);
  expect(warning).not.toContain("hunter2");
});

test("names steer no terminal, and a flood of them is cut", () => {
  const flood = Object.fromEntries(
    Array.from({ length: 50 }, (_, index) => [`LATCHKEY_\u001b[2J${String(index)}`, "x"]),
  );
  const warnings = unknownVariableWarnings(flood);
  expect(warnings).toHaveLength(5);
  expect(warnings.join("\n")).not.toContain("\u001b");
});
