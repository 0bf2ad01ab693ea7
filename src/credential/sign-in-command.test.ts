// What an error tells the person to do, where the program that embeds the library names how one signs in to it.

import { expect, test } from "vitest";
import { isOidcError, memoryStore, OidcAuth, type OidcAuthOptions } from "../index.ts";

/** The error of a call for which nobody has signed in. */
async function errorOf(options: OidcAuthOptions): Promise<unknown> {
  const client = { issuer: "https://id.example.com", clientId: "notes", store: memoryStore() };
  return new OidcAuth({ ...client, ...options }).getToken({ interactive: false }).catch(String);
}

test("who embeds the library is told to call `login()`, and nobody to run `latchkey`", async () => {
  const said = await errorOf({});
  expect(said).toMatch(/`login\(\)`/);
  expect(said).not.toMatch(/latchkey/i);
});

test.each([
  ["the command", { signInCommand: "notes login", applicationName: "Notes" }, "Run `notes login`."],
  ["the name", { applicationName: "Notes\u202e" }, "Sign in again with Notes."],
])("a person is told %s of the program instead", async (_, options, sentence) => {
  const said = await errorOf(options);
  expect(said).toContain(sentence);
  expect(said).not.toMatch(/login\(\)|latchkey/i);
});

test("what to run is data on the error, whose code and reason are the same", async () => {
  const client = { issuer: "https://id.example.com", clientId: "notes", store: memoryStore() };
  const auth = new OidcAuth({ ...client, signInCommand: "notes login" });
  const error = await auth.getToken({ interactive: false }).catch((caught: unknown) => caught);
  if (!isOidcError(error)) throw error;
  expect([error.code, error.reason]).toEqual(["login_required", "no_token"]);
  expect(error.remedy).toContainEqual({ run: "notes login" });
  // An error that no sign-in mends says what it said.
  await auth.close();
  const closed: unknown = await auth.getToken().catch((caught: unknown) => caught);
  expect([closed, Object.hasOwn(Object(closed), "cause")]).toMatchObject([
    { code: "aborted" },
    false,
  ]);
});

test("a command with a control character is no command", () => {
  const make = () => new OidcAuth({ signInCommand: "notes\u001b[2J" });
  expect(make).toThrow(expect.objectContaining({ code: "invalid_option" }));
});
