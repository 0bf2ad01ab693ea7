// Files whose records are sealed: what is written, what opens, and what is refused.
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { expect, test } from "vitest";

import { isErrorOf, OidcError } from "../core/errors.ts";
import type { SessionRecord } from "../record/format.ts";
import { cacheFileName } from "../record/key.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { testRecordStore, testTokenStore } from "../testing/store-suite.ts";
import type { OpenedTwice } from "../testing/suite.ts";
import { plainFirstStore } from "./plain-first.ts";
import {
  createSealedStore,
  openRecord,
  sealRecord,
  type RecordSeals,
  type SealedStore,
} from "./sealed-store.ts";
import {
  callerSeals,
  emptyFolder,
  failureOf,
  filesIn,
  keychain,
  sealedIn,
  sealsOf,
  textsIn,
  type Told,
} from "./testing.ts";

const key = exampleKey("one");
const first = exampleRecord("one", "a.1");
const second = exampleRecord("one", "a.2");

// With another key it is the same store: its records alone, which is what a key has to do with.
testTokenStore({
  name: "files sealed with a keychain's key",
  test,
  open: () => place((folder) => sealsOf(keychain(), folder)),
});
testRecordStore({
  name: "files sealed with a caller's key",
  test,
  open: () => place(() => callerSeals(randomBytes(32))),
});

function place(make: (folder: string) => RecordSeals): OpenedTwice<SealedStore> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-vault-"));
  const seals = make(folder);
  return {
    store: sealedIn(folder, seals),
    sameStore: sealedIn(folder, seals),
    close: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  };
}

test("no token stands in a file, and the same record is another text each time", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  const store = sealedIn(folder, sealsOf(chain, folder));
  await store.replace(key, undefined, first);
  const before = textsIn(folder);
  await store.replace(key, "a.1", first);
  const after = textsIn(folder);
  expect(after).not.toBe(before);
  expect(before + after).not.toMatch(/token-of|refresh-of|accessToken/);
  const secret = Buffer.from(chain.secret ?? []);
  for (const form of ["latin1", "hex", "base64", "base64url"] as const) {
    expect(after).not.toContain(secret.toString(form));
  }
  expect(await store.read(key)).toEqual(first);
  expect(store.level).toBe("keychain");
  expect(await store.levelOf(key)).toBe("keychain");
});

test("[C18] plain text is refused where sealed sign-ins are asked for", async () => {
  const folder = emptyFolder();
  await filesIn(folder).replace(key, undefined, first);
  const store = sealedIn(folder, sealsOf(keychain(), folder));
  expect(await failureOf(store.read(key))).toEqual(["cache_insecure", "plain_text"]);
  // A logout needs nobody who can read it.
  expect(await store.discard(key)).toBe(1);
  expect(readdirSync(folder).filter((name) => name.endsWith(".json"))).toEqual([]);
});

test("[C17] without a key nothing is written, where sealed sign-ins are asked for", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  chain.isLocked = true;
  const store = sealedIn(folder, sealsOf(chain, folder));
  expect(await failureOf(store.replace(key, undefined, first))).toEqual([
    "keychain_unavailable",
    "locked",
  ]);
  expect(textsIn(folder)).not.toMatch(/token-of/);
});

test("a count of prompts needs no key: it is written before the browser opens", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  chain.isLocked = true;
  const store = sealedIn(folder, sealsOf(chain, folder));
  const count = exampleRecord("one", "a.0.1", { signedInAt: 0, accessToken: null });
  delete count.refreshToken;
  await store.replace(key, undefined, count);
  expect(await store.read(key)).toEqual(count);
  chain.isLocked = false;
  await store.replace(key, "a.0.1", first);
  expect(await store.levelOf(key)).toBe("keychain");
});

test("auto: plain text where there is no keychain, said once; and it stays so", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  chain.isLocked = true;
  const told: Told = { warnings: [] };
  const store = sealedIn(folder, sealsOf(chain, folder), "auto", told);
  await store.replace(key, undefined, first);
  await store.replace(exampleKey("two"), undefined, exampleRecord("two", "b.1"));
  expect(told.warnings.map(([code]) => code)).toEqual(["keychain_unavailable"]);
  expect(await store.levelOf(key)).toBe("file-permissions");
  chain.isLocked = false;
  await store.replace(key, "a.1", second);
  expect(await store.levelOf(key)).toBe("file-permissions");
  expect(await store.read(key)).toEqual(second);
});

test.each(["auto", "plain"] as const)(
  "[C17] %s: what was sealed is written sealed, or not at all",
  async (placement) => {
    const folder = emptyFolder();
    const chain = keychain();
    await sealedIn(folder, sealsOf(chain, folder)).replace(key, undefined, first);
    const store = sealedIn(folder, sealsOf(chain, folder), placement);
    expect(await store.read(key)).toEqual(first);
    await store.replace(key, "a.1", second);
    expect(await store.levelOf(key)).toBe("keychain");
    chain.isLocked = true;
    const locked = sealedIn(folder, sealsOf(chain, folder), placement);
    expect(await failureOf(locked.read(key))).toEqual(["keychain_unavailable", "locked"]);
    const third = exampleRecord("one", "a.3");
    expect(await failureOf(locked.replace(key, "a.2", third))).toEqual([
      "keychain_unavailable",
      "locked",
    ]);
    expect(textsIn(folder)).not.toMatch(/token-of/);
  },
);

test("plain files stay plain, and a sealed one among them is opened", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  const loaded: string[] = [];
  const files = filesIn(folder);
  const store = plainFirstStore(files, () => {
    loaded.push("sealed store");
    const seals = sealsOf(chain, folder);
    return Promise.resolve(
      createSealedStore({ files, seals, placement: "plain", onWarning: undefined }),
    );
  });
  const other = exampleKey("two");
  await store.replace(key, undefined, first);
  expect([await store.read(key), await store.list()]).toEqual([first, [first]]);
  expect([await store.levelOf(key), loaded]).toEqual(["file-permissions", []]);
  const sealed = exampleRecord("two", "b.1");
  await sealedIn(folder, sealsOf(chain, folder)).replace(other, undefined, sealed);
  // Who does not know that it is there learns it as from any other writer.
  expect(await store.replace(other, undefined, exampleRecord("two", "c.1"))).toEqual({
    replaced: false,
    current: sealed,
  });
  expect(loaded).toEqual(["sealed store"]);
  await store.replace(other, "b.1", exampleRecord("two", "b.2"));
  expect([await store.levelOf(other), await store.levelOf(key)]).toEqual([
    "keychain",
    "file-permissions",
  ]);
  expect((await store.list()).map(({ version }) => version).toSorted()).toEqual(["a.1", "b.2"]);
  expect((await store.list()).every((record) => "accessToken" in record)).toBe(true);
});

/** The sealed text of the one record in a folder, and its file. */
function sealedTextIn(folder: string): { readonly path: string; readonly file: Written } {
  const path = join(folder, cacheFileName(key));
  return { path, file: JSON.parse(readFileSync(path, "utf8")) as Written };
}
interface Written {
  readonly latchkey: number;
  readonly records: { key: string; version: string; sealed: string }[];
}

const changes: Readonly<Record<string, (record: Written["records"][number]) => void>> = {
  "put in the place of another version": (record) => {
    record.version = "a.7";
  },
  "cut at its end": (record) => {
    record.sealed = record.sealed.slice(0, -8);
  },
  "cut to nothing": (record) => {
    record.sealed = record.sealed.slice(0, 10);
  },
  "changed in one character": (record) => {
    const at = record.sealed.length - 20;
    const changed = record.sealed[at] === "A" ? "B" : "A";
    record.sealed = record.sealed.slice(0, at) + changed + record.sealed.slice(at + 1);
  },
};

test.each(Object.keys(changes))(
  "[C19] what was %s is set aside, and nothing of it is used",
  async (how) => {
    const folder = emptyFolder();
    const seals = sealsOf(keychain(), folder);
    await sealedIn(folder, seals).replace(key, undefined, first);
    const { path, file } = sealedTextIn(folder);
    for (const record of file.records) changes[how]?.(record);
    writeFileSync(path, JSON.stringify(file));
    const told: Told = { warnings: [] };
    const store = sealedIn(folder, seals, "sealed", told);
    expect(await store.read(key)).toBeUndefined();
    expect(told.warnings.map(([code]) => code)).toEqual(["cache_damaged"]);
    expect(readdirSync(folder).filter((name) => name.includes(".damaged-"))).toHaveLength(1);
    await store.replace(key, undefined, second);
    await store.discard(key);
    expect(readdirSync(folder).filter((name) => /json/.test(name))).toEqual([]);
  },
);

test("[C19] a sealed record that is put under another key opens there for nobody", async () => {
  const folder = emptyFolder();
  const seals = sealsOf(keychain(), folder);
  const store = sealedIn(folder, seals);
  await store.replace(key, undefined, first);
  const { file } = sealedTextIn(folder);
  const other = exampleKey("two");
  for (const record of file.records) record.key = other;
  writeFileSync(join(folder, cacheFileName(other)), JSON.stringify(file), { mode: 0o600 });
  expect(await store.read(other)).toBeUndefined();
  expect(await store.read(key)).toEqual(first);
});

test("with another caller's key a record is left alone, and several keys open each", async () => {
  const folder = emptyFolder();
  const [one, two] = [randomBytes(32), randomBytes(32)];
  await sealedIn(folder, callerSeals(one)).replace(key, undefined, first);
  const other = sealedIn(folder, callerSeals(two));
  expect(await failureOf(other.read(key))).toEqual(["store_unavailable", "other_key"]);
  expect(await sealedIn(folder, callerSeals([two, one])).read(key)).toEqual(first);
});

test("a record that could not be read back is not sealed", async () => {
  const folder = emptyFolder();
  const store = sealedIn(folder, sealsOf(keychain(), folder));
  const unusable: SessionRecord = { ...first, subject: "a\nb" };
  expect(await failureOf(store.replace(key, undefined, unusable))).toEqual([
    "cache_write_failed",
    "unusable_record",
  ]);
});

test("tokens of 100,000 characters are kept", async () => {
  const folder = emptyFolder();
  const store = sealedIn(folder, sealsOf(keychain(), folder));
  const long = exampleRecord("one", "a.1", { refreshToken: "r".repeat(100_000) });
  await store.replace(key, undefined, long);
  expect(await store.read(key)).toEqual(long);
});

const prompts = exampleRecord("one", "a.0.1", { signedInAt: 0, accessToken: null });
delete prompts.refreshToken;

test.each<[string, Partial<SessionRecord>]>([
  ["a refresh token", { refreshToken: "refresh-of-it" }],
  ["an ID token", { idToken: "token-of-it" }],
  ["tokens for others", { otherAccessTokens: [] }],
  ["an access token", { accessToken: first.accessToken }],
  ["a sign-in", { signedInAt: 1 }],
])(
  "[C17] with %s it is no mere count of prompts, and is sealed or not written",
  async (_what, more) => {
    const folder = emptyFolder();
    const chain = keychain();
    chain.isLocked = true;
    const store = sealedIn(folder, sealsOf(chain, folder));
    expect(await failureOf(store.replace(key, undefined, { ...prompts, ...more }))).toEqual([
      "keychain_unavailable",
      "locked",
    ]);
    expect(readdirSync(folder).filter((name) => name.endsWith(".json"))).toEqual([]);
  },
);

test("[C17] auto: only a keychain that cannot be used leaves plain text", async () => {
  const folder = emptyFolder();
  const gone = new OidcError("store_unavailable", "Gone.", { reason: "key_unavailable" });
  const seals = { ...callerSeals(randomBytes(32)), values: () => Promise.reject(gone) };
  const store = sealedIn(folder, seals, "auto");
  expect(await failureOf(store.replace(key, undefined, first))).toEqual([
    "store_unavailable",
    "key_unavailable",
  ]);
  expect(textsIn(folder)).not.toContain("token-of");
});

test("auto: a sign-in that follows a count of prompts is a new one, and sealed", async () => {
  const folder = emptyFolder();
  const store = sealedIn(folder, sealsOf(keychain(), folder), "auto");
  await filesIn(folder).replace(key, undefined, prompts);
  await store.replace(key, "a.0.1", first);
  expect([await store.levelOf(key), await store.read(key)]).toEqual(["keychain", first]);
});

test("a record is filed under its own key alone", async () => {
  const folder = emptyFolder();
  const store = sealedIn(folder, sealsOf(keychain(), folder));
  await expect(store.replace(key, undefined, exampleRecord("two", "a.1"))).rejects.toThrow(
    TypeError,
  );
});

test("a sealed file is this user's alone, and a list leaves out what does not open", async () => {
  const folder = emptyFolder();
  const seals = sealsOf(keychain(), folder);
  const store = sealedIn(folder, seals);
  await store.replace(key, undefined, first);
  const two = exampleRecord("two", "b.1");
  await store.replace(two.key, undefined, two);
  const { path, file } = sealedTextIn(folder);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const record of file.records) record.sealed = `${record.sealed.slice(0, -4)}AAAA`;
  writeFileSync(path, JSON.stringify(file));
  expect(await store.list()).toEqual([two]);
});

test("[C19] what opens as another record, or as none, is damaged", async () => {
  const seals = callerSeals(randomBytes(32));
  const { sealed } = await sealRecord(first, seals);
  expect(await openRecord({ key, version: "a.1", sealed }, seals)).toMatchObject({ state: "open" });
  const boundTo = JSON.stringify(["record", key, "a.1"]);
  const values = await seals.values();
  const others = [
    exampleRecord("one", "a.2"),
    exampleRecord("two", "a.1"),
    { key, version: "a.1" },
    { ...first, accessToken: "no token" },
  ];
  for (const other of others) {
    const stored = { key, version: "a.1", sealed: values.seal(JSON.stringify(other), boundTo) };
    expect(await openRecord(stored, seals)).toEqual({ state: "damaged" });
  }
  const text = { key, version: "a.1", sealed: values.seal("{", boundTo) };
  expect(await openRecord(text, seals)).toEqual({ state: "damaged" });
});

test("[C19] of a file that was cut or changed anywhere, a record is whole or absent", async () => {
  const folder = emptyFolder();
  const seals = callerSeals(randomBytes(32));
  await sealedIn(folder, seals).replace(key, undefined, first);
  const { path } = sealedTextIn(folder);
  const whole = readFileSync(path);
  const change = fc.record({
    at: fc.nat(whole.length),
    drop: fc.oneof(fc.nat(3), fc.constant(whole.length)),
    put: fc.uint8Array({ maxLength: 4 }),
  });
  let absent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (made) => {
      let bytes = whole;
      for (const { at, drop, put } of made) {
        bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + drop)]);
      }
      writeFileSync(path, bytes, { mode: 0o600 });
      const found = await sealedIn(folder, seals)
        .read(key)
        // It may name another key by then.
        .catch((error: unknown) =>
          isErrorOf(error, "store_unavailable", "other_key") ? "" : error,
        );
      if (found === undefined) absent += 1;
      const isWhole = isDeepStrictEqual(found, first);
      expect(isWhole || found === undefined || found === "").toBe(true);
      expect(textsIn(folder)).not.toMatch(/token-of|refresh-of/);
    }),
    { numRuns: 60 },
  );
  expect(absent).toBeGreaterThan(30);
});
