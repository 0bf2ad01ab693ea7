// The system's keychain: which one is asked, for how long, and what its failures are called.
import { expect, test } from "vitest";

import { failureOf } from "../testing.ts";
import { systemKeychain } from "./keychain.ts";

type Secret = Promise<ArrayLike<number> | null | undefined>;

/** A package in the place of `@napi-rs/keyring`. */
function played(getSecret: () => Secret): { load: () => Promise<unknown>; made: unknown[][] } {
  const made: unknown[][] = [];
  class AsyncEntry {
    constructor(...parameters: unknown[]) {
      made.push(parameters);
    }
    getSecret = getSecret;
    setSecret = getSecret;
  }
  return { load: () => Promise.resolve({ AsyncEntry }), made };
}

test("one entry of the Secret Service is asked for, and never the kernel's keyring, which forgets", async () => {
  const { load, made } = played(() => Promise.resolve([1, 2]));
  expect(await systemKeychain(load).read(5)).toEqual(Uint8Array.of(1, 2));
  expect(made).toEqual([["latchkey", "sign-ins", { linux: { store: "secret-service" } }]]);
});

test.each([null, undefined])("an entry that is not there (%s) is no failure", async (nothing) => {
  const { load } = played(() => Promise.resolve(nothing));
  expect(await systemKeychain(load).read(5)).toBeUndefined();
});

test("a keychain that never answers is given up, as one that nobody unlocks", async () => {
  const { load } = played(() => new Promise(() => undefined));
  expect(await failureOf(systemKeychain(load).read(0.01))).toEqual([
    "keychain_unavailable",
    "locked",
  ]);
  expect(await failureOf(systemKeychain(load).write(Uint8Array.of(1), 0.01))).toEqual([
    "keychain_unavailable",
    "locked",
  ]);
});

test("a keychain that many ask at once, and that is late with an answer, is asked again", async () => {
  let asked = 0;
  const late = "Platform failure: DBus error: Did not receive a reply. Possible causes include: …";
  const { load } = played(() => {
    asked += 1;
    return asked < 3 ? Promise.reject(new Error(late)) : Promise.resolve([1, 2]);
  });
  expect(await systemKeychain(load).read(30)).toEqual(Uint8Array.of(1, 2));
  expect(asked).toBe(3);
});

test.each([
  ["Platform failure: zbus error: D-Bus is not there", "no_service"],
  ["The prompt was dismissed", "locked"],
  ["No StorageAccess: the collection is locked", "locked"],
  ["something new", "failed"],
])("what the package says (%s) is told as %s", async (message, reason) => {
  const { load } = played(() => Promise.reject(new Error(message)));
  expect(await failureOf(systemKeychain(load).read(5))).toEqual(["keychain_unavailable", reason]);
});

test("a package that cannot be loaded is told as missing", async () => {
  const chain = systemKeychain(() => Promise.reject(new Error("no part for this processor")));
  expect(await failureOf(chain.read(5))).toEqual(["keychain_unavailable", "package_missing"]);
});
