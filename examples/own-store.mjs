// examples/own-store.mjs: a store of your own, and the tests that say whether it is one. Run them with: node --test
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { test } from "node:test";
import { fileStore } from "latchkey";
import { testTokenStore } from "latchkey/testing";

/** Sign-ins in a table of a database, sealed with 32 bytes that only your program has. */
export function tableStore(table, secret) {
  // Programs of this user on this machine take turns by the lock of the default store.
  const lock = fileStore();

  const seal = (record) => {
    const nonce = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", secret, nonce);
    // Bound to its key: nobody can put one person's row in another's place.
    cipher.setAAD(Buffer.from(record.key));
    const text = [cipher.update(JSON.stringify(record)), cipher.final()];
    return Buffer.concat([nonce, ...text, cipher.getAuthTag()]).toString("base64");
  };
  const unseal = (key, sealed) => {
    const bytes = Buffer.from(sealed, "base64");
    const decipher = createDecipheriv("aes-256-gcm", secret, bytes.subarray(0, 12));
    decipher.setAAD(Buffer.from(key));
    decipher.setAuthTag(bytes.subarray(-16));
    return JSON.parse(decipher.update(bytes.subarray(12, -16)) + decipher.final());
  };
  const read = async (key) => {
    const row = await table.get(key);
    return row && unseal(key, row.sealed);
  };

  return {
    level: "caller-key",
    location: "the table of sign-ins",
    read,
    // One statement compares and writes. In SQL: INSERT … ON CONFLICT DO NOTHING where no version is expected, else
    // UPDATE … or DELETE … WHERE key = ? AND version = ?; done where one row was changed.
    async replace(key, expectedVersion, next) {
      const row = next && { version: next.version, sealed: seal(next) };
      if (await table.swap(key, expectedVersion, row)) return { replaced: true };
      return { replaced: false, current: await read(key) };
    },
    async list() {
      return (await table.all()).map(([key, row]) => unseal(key, row.sealed));
    },
    acquire: (key, options) => lock.acquire(key, options),
    holder: (key) => lock.holder(key),
  };
}

/** Stands in for your database here. */
function memoryTable() {
  const rows = new Map();
  return {
    get: async (key) => rows.get(key),
    all: async () => [...rows],
    async swap(key, expectedVersion, row) {
      if (rows.get(key)?.version !== expectedVersion) return false;
      if (row === undefined) rows.delete(key);
      else rows.set(key, row);
      return true;
    },
  };
}

testTokenStore({
  name: "table store",
  test,
  // Two stores at one place, as two programs have them; a new place for each test.
  open: () => {
    const [table, secret] = [memoryTable(), randomBytes(32)];
    return {
      store: tableStore(table, secret),
      sameStore: tableStore(table, secret),
      close: async () => {},
    };
  },
});
