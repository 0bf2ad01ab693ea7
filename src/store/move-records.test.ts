// Sign-ins that are moved between plain text and sealed files.
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

import { cacheFileName } from "../record/key.ts";
import { exampleKey, exampleRecord } from "../testing/example-records.ts";
import { leaseOf } from "../testing/lock-suite.ts";
import { moveRecords, type MoveParts } from "./move-records.ts";
import { sealRecord, type RecordSeals } from "./sealed-store.ts";
import {
  callerSeals,
  emptyFolder,
  failureOf,
  filesIn,
  keychain,
  sealedIn,
  sealsOf,
  textsIn,
} from "./testing.ts";

const key = exampleKey("one");
const first = exampleRecord("one", "a.1");
const second = exampleRecord("two", "b.3.2");

function partsIn(folder: string, chain = keychain()): MoveParts & { readonly seals: RecordSeals } {
  const freshSeals = (): RecordSeals => sealsOf(chain, folder);
  const { signal } = new AbortController();
  return { files: filesIn(folder), seals: freshSeals(), freshSeals, signal };
}

test("go there and back with the same tokens, and leave nothing in plain text", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  for (const record of [first, second]) await parts.files.replace(record.key, undefined, record);
  // What was set aside, and what a program that died has left.
  const path = join(folder, cacheFileName(key));
  const aside = `${path}.damaged-20261201T000000Z-01234567`;
  writeFileSync(aside, readFileSync(path), { mode: 0o600 });
  const left = join(folder, `.${cacheFileName(key)}.latchkey-0123456789abcdef.tmp`);
  writeFileSync(left, readFileSync(path), { mode: 0o600 });

  expect(await moveRecords({ to: "sealed" }, parts)).toEqual({
    moved: 2,
    already: 0,
    unreadable: 0,
  });
  expect(textsIn(folder)).not.toMatch(/token-of|refresh-of/);
  const sealed = sealedIn(folder, parts.freshSeals());
  expect(await sealed.read(key)).toEqual({ ...first, version: "a.1.1" });
  expect(await sealed.read(second.key)).toEqual({ ...second, version: "b.3.3" });
  expect(await moveRecords({ to: "sealed" }, parts)).toEqual({
    moved: 0,
    already: 2,
    unreadable: 0,
  });

  expect(await moveRecords({ to: "plain", key }, parts)).toEqual({
    moved: 1,
    already: 0,
    unreadable: 0,
  });
  expect(await parts.files.read(key)).toEqual({ ...first, version: "a.1.2" });
  expect(await sealed.levelOf(second.key)).toBe("keychain");
});

test("what the old file held is overwritten once the new one has taken its place", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  await parts.files.replace(key, undefined, first);
  const held = openSync(join(folder, cacheFileName(key)), "r");
  onTestFinished(() => closeSync(held));
  expect(readFileSync(held, "utf8")).toContain("token-of-a.1");
  await moveRecords({ to: "sealed" }, parts);
  const again = openSync(`/proc/self/fd/${String(held)}`, "r");
  onTestFinished(() => closeSync(again));
  const rest = readFileSync(again);
  expect([rest.length > 0, rest.every((byte) => byte === 0)]).toEqual([true, true]);
});

test("stay in plain text where they could not be read back", async () => {
  const folder = emptyFolder();
  const parts = { ...partsIn(folder), freshSeals: () => callerSeals(randomBytes(32)) };
  await parts.files.replace(key, undefined, first);
  expect(await failureOf(moveRecords({ to: "sealed" }, parts))).toEqual([
    "cache_write_failed",
    "failed",
  ]);
  expect(await parts.files.read(key)).toEqual(first);
});

test("a program that has read one in plain text before cannot write it back so", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  await parts.files.replace(key, undefined, first);
  await moveRecords({ to: "sealed" }, parts);
  const late = exampleRecord("one", "a.2");
  expect((await parts.files.replace(key, "a.1", late)).replaced).toBe(false);
  expect(textsIn(folder)).not.toContain("token-of");
});

test("one that nobody can open stays as it is", async () => {
  const folder = emptyFolder();
  const chain = keychain();
  await sealedIn(folder, sealsOf(chain, folder)).replace(key, undefined, first);
  chain.secret = randomBytes(32);
  const before = textsIn(folder);
  expect(await moveRecords({ to: "plain" }, partsIn(folder, chain))).toEqual({
    moved: 0,
    already: 0,
    unreadable: 1,
  });
  expect(textsIn(folder)).toBe(before);
  expect(readdirSync(folder).filter((name) => name.includes("damaged"))).toEqual([]);
});

test("waits for whoever works on a sign-in", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  await parts.files.replace(key, undefined, first);
  const lease = await leaseOf(filesIn(folder), key);
  let isMoved = false;
  let waits = (): void => undefined;
  const isWaiting = new Promise<void>((resolve) => (waits = resolve));
  const acquire = parts.files.acquire.bind(parts.files);
  Object.assign(parts.files, {
    acquire: (...[name, options]: Parameters<typeof acquire>) =>
      acquire(name, { ...options, onWaiting: waits }),
  });
  const moving = moveRecords({ to: "sealed" }, parts).then((moved) => {
    isMoved = true;
    return moved;
  });
  await isWaiting;
  expect([isMoved, textsIn(folder).includes("token-of")]).toEqual([false, true]);
  await lease.abandon();
  expect(await moving).toEqual({ moved: 1, already: 0, unreadable: 0 });
});

test("moves what somebody has written meanwhile, and not what it had read", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  await parts.files.replace(key, undefined, first);
  const newer = exampleRecord("one", "a.2");
  let isFirst = true;
  const replace = parts.files.replace.bind(parts.files);
  Object.assign(parts.files, {
    replace: async (...given: Parameters<typeof replace>) => {
      if (isFirst) await replace(key, "a.1", newer);
      isFirst = false;
      return replace(...given);
    },
  });
  expect((await moveRecords({ to: "sealed" }, parts)).moved).toBe(1);
  expect(await sealedIn(folder, parts.freshSeals()).read(key)).toMatchObject({
    refreshToken: newer.refreshToken,
  });
});

test("is taken back where what was kept does not open", async () => {
  const folder = emptyFolder();
  const parts = partsIn(folder);
  await parts.files.replace(key, undefined, first);
  const others = await sealRecord(exampleRecord("one", "a.1.1"), callerSeals(randomBytes(32)));
  const replace = parts.files.replace.bind(parts.files);
  Object.assign(parts.files, {
    replace: (...[name, expected, next]: Parameters<typeof replace>) =>
      replace(name, expected, next !== undefined && "sealed" in next ? others : next),
  });
  expect(await failureOf(moveRecords({ to: "sealed" }, parts))).toEqual([
    "cache_write_failed",
    "failed",
  ]);
  expect(await parts.files.read(key)).toMatchObject({ refreshToken: first.refreshToken });
});
