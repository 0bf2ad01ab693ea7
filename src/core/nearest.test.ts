import { expect, test } from "vitest";
import { knownFlags } from "../cli/arguments.ts";
import { commandNames } from "../cli/command-grammar.ts";
import { nearestName } from "./nearest.ts";

test.each([
  ["--isuer", "--issuer"],
  ["--scope", "--scopes"],
  ["--jsn", "--json"],
  ["--no-open-brwser", "--no-open-browser"],
  // Half of a name, as people remember it.
  ["--port", "--callback-port"],
  ["--client", "--client-id"],
  ["--timeout", "--http-timeout-seconds"],
  ["--no-browser", "--no-open-browser"],
  ["--refresh", "--force-refresh"],
  ["--secret", "--client-secret-file"],
  ["--client_id", "--client-id"],
  ["--clientId", "--client-id"],
])("%s is taken for %s", (typed, flag) => {
  expect(nearestName(typed, knownFlags("token"))).toBe(flag);
});

test.each(["--debug", "--quiet", "-v", "--"])("%s is like no flag", (typed) => {
  expect(nearestName(typed, knownFlags())).toBeUndefined();
});

test("options and commands are compared alike", () => {
  expect(nearestName("tokn", commandNames)).toBe("token");
  expect(nearestName("clientid", ["issuer", "clientId"])).toBe("clientId");
  expect(nearestName("port", ["callbackHost", "callbackPort"])).toBe("callbackPort");
  expect(nearestName("constructor", commandNames)).toBeUndefined();
});
