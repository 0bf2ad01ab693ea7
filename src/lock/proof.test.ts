import { randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { createSealer, deriveLockKeys, isProof, prove } from "./proof.ts";
import type { LockKeys } from "./proof.ts";

const secret = "00112233445566778899aabbccddeeff";

function keysOf(name: string): LockKeys {
  return deriveLockKeys(secret, 7, name);
}

test("an id is 512 bits in hexadecimal digits", () => {
  for (const name of ["", "key", "x".repeat(5000)]) {
    expect(keysOf(name).id).toMatch(/^[0-9a-f]{128}$/);
  }
});

test("secret, file and name each make another lock with another key", () => {
  const one = deriveLockKeys(secret, 7, "key");
  for (const other of [
    deriveLockKeys(secret, 7, "kex"),
    deriveLockKeys(secret, 8, "key"),
    deriveLockKeys(secret.replace("0", "1"), 7, "key"),
  ]) {
    expect(other.id).not.toBe(one.id);
    expect(Buffer.from(other.key).equals(one.key)).toBe(false);
  }
  expect(deriveLockKeys(secret, 7, "key")).toEqual(one);
});

test("an id says nothing about the secret, the key or the name", () => {
  const { id, key } = keysOf("https://id.example.com");
  for (const hidden of [secret, Buffer.from(key).toString("hex").slice(0, 16), "example"]) {
    expect(id).not.toContain(hidden);
  }
});

test("a proof holds for one lock, one role and these two nonces alone", () => {
  const [waiter, holder] = [randomBytes(32), randomBytes(32)];
  const keys = keysOf("key");
  const proof = prove(keys, "holder", waiter, holder);
  expect(isProof(proof, keys, "holder", waiter, holder)).toBe(true);
  expect(isProof(proof, keys, "waiter", waiter, holder)).toBe(false);
  expect(isProof(proof, keys, "holder", holder, waiter)).toBe(false);
  expect(isProof(proof, keys, "holder", randomBytes(32), holder)).toBe(false);
  expect(isProof(proof, keys, "holder", waiter, randomBytes(32))).toBe(false);
  expect(isProof(proof, keysOf("other"), "holder", waiter, holder)).toBe(false);
  expect(isProof(proof.subarray(1), keys, "holder", waiter, holder)).toBe(false);
  expect(isProof(new Uint8Array(32), keys, "holder", waiter, holder)).toBe(false);
});

test("opens the messages of its connection, in their order, and none that was changed", () => {
  const [waiter, holder] = [randomBytes(32), randomBytes(32)];
  const sender = createSealer(keysOf("key"), waiter, holder);
  const open = (): ReturnType<typeof createSealer> => createSealer(keysOf("key"), waiter, holder);
  const [first, second] = [sender.seal('{"a":1}'), sender.seal('{"b":2}')];

  const receiver = open();
  expect(receiver.open(first)?.trim()).toBe('{"a":1}');
  expect(receiver.open(first)).toBeUndefined();
  expect(open().open(second)).toBeUndefined();

  const changed = Buffer.from(first);
  changed.writeUInt8(changed.readUInt8(3) ^ 1, 3);
  expect(open().open(changed)).toBeUndefined();
  expect(open().open(first.subarray(0, -1))).toBeUndefined();
  expect(open().open(first.subarray(0, 16))).toBeUndefined();
  expect(open().open(new Uint8Array())).toBeUndefined();
  expect(createSealer(keysOf("other"), waiter, holder).open(first)).toBeUndefined();
  expect(createSealer(keysOf("key"), holder, waiter).open(first)).toBeUndefined();
});

test("does not tell by its length what a message says", () => {
  const sealer = createSealer(keysOf("key"), randomBytes(32), randomBytes(32));
  const lengths = ["{}", '{"phase":"login"}', "x".repeat(512)].map(
    (text) => sealer.seal(text).length,
  );
  expect(new Set(lengths).size).toBe(1);
});
