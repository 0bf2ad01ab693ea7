// What every record store must do, as a suite that each one's own tests run. Changes when the interface's promises do.
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { SessionRecord } from "../record/format.ts";
import { recordKey } from "../record/key.ts";
import { describeFlightLock, leaseOf, type OpenedTwice } from "../lock/conformance.ts";
import type { RecordStore, TokenStore } from "./token-store.ts";

/** A key as the library makes them. */
export function exampleKey(clientId: string): string {
  return recordKey({
    kind: "interactive",
    options: { issuer: "https://id.example.com", clientId },
  });
}

/** A valid record; `changes` replace its fields. */
export function exampleRecord(
  clientId: string,
  version: string,
  changes: Partial<SessionRecord> = {},
): SessionRecord {
  return {
    key: exampleKey(clientId),
    version,
    issuer: "https://id.example.com",
    clientId,
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: {
      token: `token-of-${version}`,
      tokenType: "Bearer",
      scopes: ["openid"],
      issuedAt: 1_700_000_000,
      expiresAt: 1_700_003_600,
    },
    refreshToken: `refresh-of-${version}`,
    signedInAt: 1_700_000_000_000,
    renewedAt: 1_700_000_000_000,
    ...changes,
  };
}

/** What a record store must do. */
export function describeRecordStore(
  name: string,
  open: () => Promise<OpenedTwice<RecordStore>>,
): void {
  describe(`the records of the ${name}`, () => {
    const key = exampleKey("one");
    const otherKey = exampleKey("two");
    let opened: OpenedTwice<RecordStore>;
    let store: RecordStore;
    let sameStore: RecordStore;

    beforeEach(async () => {
      opened = await open();
      ({ store, sameStore } = opened);
    });

    afterEach(async () => {
      await opened.close();
    });

    test("are absent until they are written, then the same for everybody", async () => {
      expect(await store.read(key)).toBeUndefined();
      const record = exampleRecord("one", "a.1", {});
      expect(await store.replace(key, undefined, record)).toEqual({ replaced: true });
      expect(await store.read(key)).toEqual(record);
      expect(await sameStore.read(key)).toEqual(record);
      expect(await store.read(otherKey)).toBeUndefined();
    });

    test("are replaced only in the expected version", async () => {
      const first = exampleRecord("one", "a.1");
      const second = exampleRecord("one", "a.2");
      await store.replace(key, undefined, first);
      expect(await sameStore.replace(key, "a.1", second)).toEqual({ replaced: true });
      expect(await store.replace(key, "a.1", exampleRecord("one", "a.3"))).toEqual({
        replaced: false,
        current: second,
      });
      expect(await store.replace(key, undefined, exampleRecord("one", "b.1"))).toEqual({
        replaced: false,
        current: second,
      });
      expect(await store.read(key)).toEqual(second);
    });

    test("are deleted only in the expected version, and are gone then [C13]", async () => {
      const record = exampleRecord("one", "a.1");
      await store.replace(key, undefined, record);
      expect(await store.replace(key, "a.0", undefined)).toEqual({
        replaced: false,
        current: record,
      });
      expect(await store.replace(key, undefined, undefined)).toEqual({
        replaced: false,
        current: record,
      });
      expect(await store.replace(key, "a.1", undefined)).toEqual({ replaced: true });
      expect(await sameStore.read(key)).toBeUndefined();
      expect(await store.replace(key, "a.1", exampleRecord("one", "a.2"))).toEqual({
        replaced: false,
        current: undefined,
      });
      expect(await store.list()).toEqual([]);
    });

    test("deleting what is absent is done already", async () => {
      expect(await store.replace(key, undefined, undefined)).toEqual({ replaced: true });
    });

    test("of several keys stand beside each other, and are listed", async () => {
      const one = exampleRecord("one", "a.1");
      const two = exampleRecord("two", "b.1");
      await Promise.all([
        store.replace(key, undefined, one),
        sameStore.replace(otherKey, undefined, two),
      ]);
      expect(await store.read(key)).toEqual(one);
      expect(await store.read(otherKey)).toEqual(two);
      const listed = await sameStore.list();
      expect(listed.map((record) => record.version).toSorted()).toEqual(["a.1", "b.1"]);
      await store.replace(key, "a.1", undefined);
      expect(await store.list()).toEqual([two]);
    });

    test("do not change when what was given or gotten is changed", async () => {
      const record = exampleRecord("one", "a.1");
      await store.replace(key, undefined, record);
      record.refreshToken = "changed";
      const gotten = (await store.read(key)) as SessionRecord | undefined;
      gotten?.accessToken?.scopes.push("changed");
      expect(await store.read(key)).toEqual(exampleRecord("one", "a.1"));
    });

    test("of one key: of many writers at once one wins, and the others get its record", async () => {
      const results = await Promise.all(
        Array.from({ length: 10 }, (_writer, at) =>
          (at % 2 === 0 ? store : sameStore).replace(
            key,
            undefined,
            exampleRecord("one", `w${at}.1`),
          ),
        ),
      );
      const stored = await store.read(key);
      expect(results.filter((result) => result.replaced)).toHaveLength(1);
      const losers = results.filter((result) => !result.replaced);
      expect(losers.map((result) => result.current)).toEqual(losers.map(() => stored));
    });

    test("of many keys: of many writers at once none is lost", async () => {
      const names = Array.from({ length: 10 }, (_writer, at) => `writer-${at}`);
      await Promise.all(
        names.map((each, at) =>
          (at % 2 === 0 ? store : sameStore).replace(
            exampleKey(each),
            undefined,
            exampleRecord(each, `${each}.1`),
          ),
        ),
      );
      const listed = await store.list();
      expect(listed.map((record) => record.key).toSorted()).toEqual(
        names.map(exampleKey).toSorted(),
      );
    });
  });
}

/** What a whole store must do: both, and neither in the way of the other. */
export function describeTokenStore(
  name: string,
  open: () => Promise<OpenedTwice<TokenStore>>,
): void {
  describeRecordStore(name, open);
  describeFlightLock(name, open);

  describe(`the ${name} as a whole`, () => {
    const key = exampleKey("one");
    let opened: OpenedTwice<TokenStore>;
    let store: TokenStore;
    let sameStore: TokenStore;

    beforeEach(async () => {
      opened = await open();
      ({ store, sameStore } = opened);
    });

    afterEach(async () => {
      await opened.close();
    });

    test("takes its lock without anything being stored", async () => {
      await (await leaseOf(store, key)).abandon();
      expect(await store.list()).toEqual([]);
    });

    test("has a lock that does not stand in the way of reading and writing", async () => {
      const lease = await leaseOf(store, key);
      await sameStore.replace(key, undefined, exampleRecord("one", "a.1"));
      await lease.finish({ kind: "done", version: "a.1" });
      expect((await store.read(key))?.version).toBe("a.1");
    });
  });
}
