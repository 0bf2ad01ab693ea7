// What is said, in pieces.

import { inspect } from "node:util";
import { expect, test } from "vitest";
import { introduced, OidcError, toldAs, wordingOf } from "./errors.ts";
import {
  acceptServer,
  forgetSignIn,
  isWording,
  joined,
  option,
  run,
  say,
  sentences,
  signInAnew,
  worded,
  type Names,
} from "./wording.ts";

const names: Names = {
  option: (name, value) => `<${name}${value === undefined ? "" : `=${value}`}>`,
  call: (name) => `<${name}!>`,
  trust: (server) => `<${server}?>`,
};

test("pieces follow each other, and each shower has its own names for them", () => {
  const said = say`Set ${option("flow", "device")}, or ${run("rm x")} ${2} times${say`, ${option("pkce")}`}.`;
  expect(worded(said)).toBe("Set `flow: device`, or rm x 2 times, `pkce`.");
  expect(worded(said, names)).toBe("Set <flow=device>, or rm x 2 times, <pkce>.");
  expect(worded([signInAnew], names)).toBe("<login!>");
  expect(worded(say`First ${forgetSignIn}.`)).toBe("First `logout()`.");
  const server = [acceptServer("https://data.example.com")];
  expect(worded(server, names)).toBe("<https://data.example.com?>");
  // No user of a library is told to run a command of ours.
  expect(worded(server)).not.toMatch(/latchkey/i);
});

test("sentences have one space between them, and empty ones leave no trace", () => {
  expect(worded(sentences("A.", "", [], say`B ${option("pkce")}.`, [signInAnew]))).toBe(
    "A. B `pkce`. Call `login()`.",
  );
  expect(sentences("", [])).toEqual([]);
  expect(joined("a", "b", option("pkce"), "", "c")).toEqual(["ab", { option: "pkce" }, "c"]);
});

const error = new OidcError("login_required", say`Not at ${option("issuer")}.`, {
  reason: "no_token",
  remedy: say`Set ${option("pkce")}. ${signInAnew}`,
  quote: "`login()`\u001b[31m",
});

test("an error's message is what happened, what to do, and what the provider says", () => {
  expect(error.message).toBe(
    'Not at `issuer`. Set `pkce`. Call `login()`. The provider says: "`login()` [31m"',
  );
  expect(error.remedy).toEqual(["Set ", { option: "pkce" }, ". ", { call: "login" }]);
  expect(worded(wordingOf(error), names)).toBe(
    'Not at <issuer>. Set <pkce>. <login!> The provider says: "`login()` [31m"',
  );
  expect(new OidcError("aborted", "Over.").remedy).toBeUndefined();
});

test("an error from another process is told in the names of this one", () => {
  const passed = OidcError.deserialize(JSON.parse(JSON.stringify(error.serialize())));
  expect(passed).toMatchObject({ code: error.code, reason: error.reason, message: error.message });
  expect(worded(wordingOf(passed), names)).toBe(worded(wordingOf(error), names));
  expect(passed.remedy).toEqual(error.remedy);
});

test("an error from a version without pieces keeps its message", () => {
  const passed = OidcError.deserialize({ code: "timeout", message: "Late. Try again." });
  expect(passed.message).toBe("Late. Try again.");
  expect(worded(wordingOf(passed), names)).toBe("Late. Try again.");
});

test("an error told in other words keeps what programs decide by", () => {
  const told = toldAs(error, sentences("Not saved.", wordingOf(error)));
  expect(told).toMatchObject({ code: "login_required", reason: "no_token", cause: error });
  expect(worded(wordingOf(told), names)).toContain("Not saved. Not at <issuer>.");
});

test("an introduction leaves the remedy what it is", () => {
  const told = introduced("Not saved.", error);
  expect(told.message).toBe("Not saved. Not at `issuer`. Set `pkce`. Call `login()`.");
  expect(told).toMatchObject({ code: "login_required", reason: "no_token", cause: error });
  expect(told.remedy).toEqual(error.remedy);
  expect(introduced("Not saved.", new OidcError("tls", "X.")).message).toBe("Not saved. X.");
});

test("nothing of an error is hidden in it that its message does not say", () => {
  const seen = inspect(error, { showHidden: true, getters: true, depth: 9 });
  expect(seen).toContain("Not at `issuer`");
  expect(Object.keys(error).toSorted()).toEqual(["code", "reason", "remedy", "retryable"]);
});

test.each([
  [["text", { option: "issuer" }, { option: "flow", value: "device" }, { run: "x" }], true],
  [[{ call: "login" }], true],
  [[], true],
  ["text", false],
  [[{ call: "exec" }], false],
  [[{ option: "a b" }], false],
  [[{ option: "issuer", value: 1 }], false],
  [[{ run: 1 }], false],
  [[null], false],
  [Array.from({ length: 101 }, () => "x"), false],
])("%j from another process: %s", (value, expected) => {
  expect(isWording(value)).toBe(expected);
});
