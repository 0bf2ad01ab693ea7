// Where files are, on each platform's rule.

import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import {
  absolutePath,
  cacheFilePath,
  configurationFile,
  stateFolder,
  type Machine,
} from "./paths.ts";

function machine(changes: Partial<Machine> = {}): Machine {
  return {
    environment: {},
    platform: "linux",
    homeDirectory: "/home/alice",
    workingDirectory: "/here",
    ...changes,
  };
}

function failure(act: () => unknown): OidcError {
  try {
    act();
  } catch (error) {
    if (error instanceof OidcError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

test("Linux: XDG folders, else their defaults below the home folder", () => {
  expect(stateFolder(machine())).toBe("/home/alice/.local/state/latchkey");
  expect(configurationFile(machine())).toBe("/home/alice/.config/latchkey/config.toml");
  const environment = { XDG_STATE_HOME: "/state", XDG_CONFIG_HOME: "/config" };
  expect(stateFolder(machine({ environment }))).toBe("/state/latchkey");
  expect(configurationFile(machine({ environment }))).toBe("/config/latchkey/config.toml");
});

test("macOS: Application Support", () => {
  expect(stateFolder(machine({ platform: "darwin" }))).toBe(
    "/home/alice/Library/Application Support/latchkey",
  );
});

test.each([
  ["no home folder", { homeDirectory: undefined }, "home folder"],
  ["a relative home folder", { homeDirectory: "alice" }, "HOME"],
  ["a relative XDG path", { environment: { XDG_STATE_HOME: "state" } }, "XDG_STATE_HOME"],
])(
  "%s: an error that names it, and never a shared temporary folder [C11]",
  (_what, changes, named) => {
    const error = failure(() => stateFolder(machine(changes)));
    expect([error.code, error.reason, error.message.includes(named)]).toEqual([
      "cache_write_failed",
      "no_home",
      true,
    ]);
  },
);

test("`~` is the home folder, other relative paths start at the working directory", () => {
  expect(absolutePath("~", machine())).toBe("/home/alice");
  expect(absolutePath("~/x/../y", machine())).toBe("/home/alice/y");
  expect(absolutePath("tokens.json", machine())).toBe("/here/tokens.json");
  expect(absolutePath("~bob/x", machine())).toBe("/here/~bob/x");
  expect(cacheFilePath("~/t.json", "name.json", machine())).toBe("/home/alice/t.json");
  expect(cacheFilePath(undefined, "name.json", machine())).toBe(
    "/home/alice/.local/state/latchkey/name.json",
  );
});
