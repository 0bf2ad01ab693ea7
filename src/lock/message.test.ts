import { randomBytes } from "node:crypto";

import { expect, test } from "vitest";

import { OidcError } from "../core/errors.ts";
import type { SerializedOidcError } from "../core/errors.ts";
import { maxLockMessageBytes } from "../core/limits.ts";
import {
  createLineReader,
  encodeHello,
  encodeHolderHello,
  encodeHolderMessage,
  encodeProof,
  parseHolderMessage,
  parseNonce,
  parseProof,
} from "./message.ts";
import type { HolderMessage } from "./message.ts";
import { createSealer, deriveLockKeys } from "./proof.ts";
import type { Sealer } from "./proof.ts";

function sealers(): { holder: Sealer; waiter: Sealer } {
  const keys = deriveLockKeys("00112233445566778899aabbccddeeff", 7, "key");
  const nonces = [randomBytes(32), randomBytes(32)] as const;
  return { holder: createSealer(keys, ...nonces), waiter: createSealer(keys, ...nonces) };
}

/** As a waiter reads what a holder wrote. */
function passed(message: HolderMessage): HolderMessage | null | undefined {
  const { holder, waiter } = sealers();
  return parseHolderMessage(encodeHolderMessage(message, holder).trimEnd(), waiter);
}

/** As a waiter reads what a holder of another version wrote. */
function passedText(text: string): HolderMessage | null | undefined {
  const { holder, waiter } = sealers();
  const sealed = Buffer.from(holder.seal(text)).toString("base64");
  return parseHolderMessage(JSON.stringify({ sealed }), waiter);
}

const error: SerializedOidcError = new OidcError("network", "Wait. [\u2028]", {
  reason: "reset",
  providerError: "slow_down",
  providerErrorDescription: "Zu viele Anfragen",
  retryAfterSeconds: 7,
}).serialize();

test.each([
  { kind: "holder", processId: 4711, phase: "refresh", since: 1_700_000_000_000 },
  { kind: "phase", phase: "login" },
  { kind: "done", version: "AbC.12" },
  { kind: "failed", error },
] as const)("carries $kind unchanged", (message) => {
  expect(passed(message)).toEqual(message);
});

test("an error too long for a line loses the end of its message, nothing else", () => {
  for (const letter of ["x", "ß", "\u0001", "😀"]) {
    const long: HolderMessage = {
      kind: "failed",
      error: { ...error, message: letter.repeat(100_000) },
    };
    const { holder, waiter } = sealers();
    const line = encodeHolderMessage(long, holder);
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(maxLockMessageBytes);
    const heard = parseHolderMessage(line.trimEnd(), waiter);
    expect(heard).toMatchObject({
      kind: "failed",
      error: { ...error, message: expect.stringMatching(/….?$/u) },
    });
  }
});

test("nonces and proofs pass; whatever is none does not", () => {
  const bytes = randomBytes(32);
  expect(parseNonce(encodeHello(bytes).trimEnd())).toEqual(bytes);
  expect(parseProof(encodeProof(bytes).trimEnd())).toEqual(bytes);
  const hello = encodeHolderHello(bytes, randomBytes(32)).trimEnd();
  expect(parseNonce(hello)).toEqual(bytes);
  expect(parseProof(hello)).toHaveLength(32);
  for (const line of [
    "",
    "null",
    "[]",
    '"text"',
    "{}",
    "{",
    "GET / HTTP/1.1\r",
    '{"nonce":7}',
    '{"nonce":""}',
    `{"nonce":"${"g".repeat(64)}"}`,
    `{"nonce":"${"a".repeat(63)}"}`,
    `{"nonce":"${"a".repeat(66)}"}`,
    `{"nonce":["${"a".repeat(64)}"]}`,
    `{"__proto__":{"nonce":"${"a".repeat(64)}"},"proof":null}`.replace("proof", "nonce"),
    "[".repeat(10_000),
  ]) {
    expect(parseNonce(line)).toBeUndefined();
  }
});

test.each(["", "{}", "null", '{"sealed":7}', '{"sealed":""}', '{"sealed":"QUJD"}', "\0"])(
  "does not take %j for a holder's word",
  (line) => {
    expect(parseHolderMessage(line, sealers().waiter)).toBeUndefined();
  },
);

test.each([
  "{}",
  "[]",
  "no JSON",
  '{"kind":"tomorrow"}',
  '{"kind":"phase","phase":"sleep"}',
  '{"kind":"holder","processId":-1,"phase":"login","since":1}',
  '{"kind":"holder","processId":1.5,"phase":"login","since":1}',
  '{"kind":"holder","processId":"1; rm","phase":"login","since":1}',
  '{"kind":"holder","processId":7,"phase":"login"}',
  '{"kind":"holder","processId":7,"phase":"login","since":"now"}',
  '{"kind":"holder","processId":7,"phase":"login","since":-1}',
  '{"kind":"holder","processId":7,"phase":"login","since":8640000000000001}',
  '{"kind":"done"}',
  '{"kind":"failed"}',
  '{"kind":"failed","error":{"code":"of_tomorrow","message":"m"}}',
  '{"kind":"failed","error":{"code":"toString","message":"m"}}',
  '{"kind":"failed","error":{"code":"network"}}',
])("passes over %j, words of another version", (text) => {
  expect(passedText(text)).toBeNull();
});

test("takes no more from an error than its known members, of their kinds", () => {
  expect(
    passedText(
      '{"kind":"failed","error":{"code":"network","message":"m","reason":7,"retryAfterSeconds":"9","cause":{},"__proto__":{"stack":1}}}',
    ),
  ).toEqual({ kind: "failed", error: { code: "network", message: "m" } });
});

test("cuts lines wherever the pieces end, and keeps no more than one line may hold", () => {
  const reader = createLineReader(8);
  expect(reader.push(Buffer.from("ab"))).toEqual([]);
  expect(reader.push(Buffer.from("c\nd\n\ne"))).toEqual(["abc", "d", ""]);
  expect(reader.push(Buffer.from("fghijkl\n"))).toEqual(["efghijkl"]);
  expect(reader.push(Buffer.from("12345678\n"))).toEqual(["12345678"]);
  expect(reader.push(Buffer.from("123456789"))).toBeUndefined();

  const dripping = createLineReader(8);
  const drips = Array.from({ length: 9 }, () => dripping.push(Buffer.from("x")));
  expect(drips.slice(0, 8)).toEqual(Array.from({ length: 8 }, () => []));
  expect(drips[8]).toBeUndefined();
});
