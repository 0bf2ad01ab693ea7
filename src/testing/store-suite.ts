// What every store must do, as suites that each one's own tests run. Changes when the interface's promises do.

import assert from "node:assert/strict";
import type { SessionRecord, StoredRecord } from "../record/format.ts";
import type { RecordStore, ReplaceResult, TokenStore } from "../store/token-store.ts";
import { exampleKey, exampleRecord } from "./example-records.ts";
import { leaseOf, testFlightLock } from "./lock-suite.ts";
import { declareTests, type SuiteOptions, type SuiteTest } from "./suite.ts";

const key = exampleKey("one");
const otherKey = exampleKey("two");

/** What a record says: it is JSON, and may come back as another kind of object. */
function said(record: StoredRecord | undefined): unknown {
  return record === undefined ? undefined : JSON.parse(JSON.stringify(record));
}

function assertSame(actual: StoredRecord | undefined, expected: StoredRecord | undefined): void {
  assert.deepEqual(said(actual), said(expected));
}

function assertReplaced(result: ReplaceResult): void {
  assert.equal(result.replaced, true);
}

function assertLost(result: ReplaceResult, current: StoredRecord | undefined): void {
  if (result.replaced) assert.fail("a record was replaced that another had written meanwhile");
  assertSame(result.current, current);
}

/** Ten writers, who take turns with both views of the place. */
function writers<Result>(
  store: RecordStore,
  sameStore: RecordStore,
  write: (store: RecordStore, writer: string) => Promise<Result>,
): Promise<Result[]> {
  return Promise.all(
    Array.from({ length: 10 }, (_writer, at) =>
      write(at % 2 === 0 ? store : sameStore, `writer-${String(at)}`),
    ),
  );
}

const recordTests: readonly SuiteTest<RecordStore>[] = [
  [
    "records are absent until they are written, then the same for everybody",
    async (store, sameStore) => {
      assert.equal(await store.read(key), undefined);
      const record = exampleRecord("one", "a.1");
      assertReplaced(await store.replace(key, undefined, record));
      assertSame(await store.read(key), record);
      assertSame(await sameStore.read(key), record);
      assert.equal(await store.read(otherKey), undefined);
    },
  ],
  [
    "records are replaced only in the expected version",
    async (store, sameStore) => {
      const second = exampleRecord("one", "a.2");
      await store.replace(key, undefined, exampleRecord("one", "a.1"));
      assertReplaced(await sameStore.replace(key, "a.1", second));
      assertLost(await store.replace(key, "a.1", exampleRecord("one", "a.3")), second);
      assertLost(await store.replace(key, undefined, exampleRecord("one", "b.1")), second);
      assertSame(await store.read(key), second);
    },
  ],
  [
    "records are deleted only in the expected version, and are gone then [C13]",
    async (store, sameStore) => {
      const record = exampleRecord("one", "a.1");
      await store.replace(key, undefined, record);
      assertLost(await store.replace(key, "a.0", undefined), record);
      assertLost(await store.replace(key, undefined, undefined), record);
      assertReplaced(await store.replace(key, "a.1", undefined));
      assert.equal(await sameStore.read(key), undefined);
      assertLost(await store.replace(key, "a.1", exampleRecord("one", "a.2")), undefined);
      assert.deepEqual(await store.list(), []);
    },
  ],
  [
    "deleting a record that is absent is done already",
    async (store) => {
      assertReplaced(await store.replace(key, undefined, undefined));
    },
  ],
  [
    "records of several keys stand beside each other, and are listed",
    async (store, sameStore) => {
      const one = exampleRecord("one", "a.1");
      const two = exampleRecord("two", "b.1");
      await Promise.all([
        store.replace(key, undefined, one),
        sameStore.replace(otherKey, undefined, two),
      ]);
      assertSame(await store.read(key), one);
      assertSame(await store.read(otherKey), two);
      const listed = await sameStore.list();
      assert.deepEqual(listed.map((record) => record.version).toSorted(), ["a.1", "b.1"]);
      await store.replace(key, "a.1", undefined);
      assert.deepEqual((await store.list()).map(said), [said(two)]);
    },
  ],
  [
    "records do not change when what was given or gotten is changed",
    async (store) => {
      const record = exampleRecord("one", "a.1");
      await store.replace(key, undefined, record);
      record.refreshToken = "changed";
      const gotten = (await store.read(key)) as SessionRecord | undefined;
      gotten?.accessToken?.scopes.push("changed");
      assertSame(await store.read(key), exampleRecord("one", "a.1"));
    },
  ],
  [
    "of many writers of one key at once one wins, and the others get its record",
    async (store, sameStore) => {
      const results = await writers(store, sameStore, (each, writer) =>
        each.replace(key, undefined, exampleRecord("one", `${writer}.1`)),
      );
      const stored = await store.read(key);
      assert.equal(results.filter((result) => result.replaced).length, 1);
      for (const result of results) if (!result.replaced) assertSame(result.current, stored);
    },
  ],
  [
    "of many writers of many keys at once none is lost",
    async (store, sameStore) => {
      const keys = await writers(store, sameStore, async (each, writer) => {
        await each.replace(exampleKey(writer), undefined, exampleRecord(writer, `${writer}.1`));
        return exampleKey(writer);
      });
      const listed = await store.list();
      assert.deepEqual(listed.map((record) => record.key).toSorted(), keys.toSorted());
    },
  ],
];

const wholeTests: readonly SuiteTest<TokenStore>[] = [
  [
    "the lock is taken without anything being stored",
    async (store) => {
      await (await leaseOf(store, key)).abandon();
      assert.deepEqual(await store.list(), []);
    },
  ],
  [
    "the lock does not stand in the way of reading and writing",
    async (store, sameStore) => {
      const lease = await leaseOf(store, key);
      await sameStore.replace(key, undefined, exampleRecord("one", "a.1"));
      await lease.finish({ kind: "done", version: "a.1" });
      assert.equal((await store.read(key))?.version, "a.1");
    },
  ],
];

/**
 * Declares the tests of what keeps records: compare and swap, deletion, writers at the same time.
 * @throws {OidcError} `invalid_option`.
 */
export function testRecordStore(options: SuiteOptions<RecordStore>): void {
  declareTests(options, recordTests);
}

/**
 * Declares the tests of a whole store, as the option `store` takes one: its records, its lock, and that neither is in
 * the way of the other.
 * @throws {OidcError} `invalid_option`.
 */
export function testTokenStore(options: SuiteOptions<TokenStore>): void {
  testRecordStore(options);
  testFlightLock(options);
  declareTests(options, wholeTests);
}
