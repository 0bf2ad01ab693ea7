// Notes between two calls of a helper: what is written is read, and what is not as written says nothing.

import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Notes, parseNote, tokenMark } from "./notes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-notes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failure = { paragraph: "Nobody is signed in. [login_required]", exitCode: 3, until: 5000 };

function files(): string[] {
  return readdirSync(join(folder, "helpers"));
}

test("a note is read again by its name alone, and can be forgotten", async () => {
  const notes = new Notes(folder);
  expect(notes.read("one")).toEqual({});
  await notes.write("one", { failure, askedAt: 7, given: { mark: tokenMark("t"), at: 9 } });
  expect(notes.read("one")).toEqual({
    failure,
    askedAt: 7,
    given: { mark: tokenMark("t"), at: 9 },
  });
  expect(notes.read("other")).toEqual({});
  notes.forget("one");
  expect(notes.read("one")).toEqual({});
});

test("a note is its owner's alone and holds no token [O01]", async () => {
  const notes = new Notes(folder);
  const token = "eyJhbGciOiJSUzI1NiJ9.payload.signature";
  await notes.write("one", { given: { mark: tokenMark(token), at: 1 } });
  const [name = ""] = files();
  const path = join(folder, "helpers", name);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).not.toContain("payload");
});

test("old notes go, and so do the oldest of too many", async () => {
  const notes = new Notes(folder);
  for (let count = 0; count < 3; count += 1) {
    await notes.write(String(count), { askedAt: 1 });
  }
  const [old = ""] = files();
  const long = new Date(Date.now() - 3_700_000);
  utimesSync(join(folder, "helpers", old), long, long);
  for (let count = 0; count < 250; count += 1) {
    const name = `${count.toString(16).padStart(32, "0")}.json`;
    writeFileSync(join(folder, "helpers", name), "", { mode: 0o600 });
  }
  await notes.write("last", { askedAt: 1 });
  expect(files()).toHaveLength(200);
  expect(files()).not.toContain(old);
  expect(notes.read("last").askedAt).toBe(1);
});

test.each([
  "",
  "x",
  "null",
  "[]",
  '{"latchkeyHelper":2,"askedAt":1}',
  '{"latchkeyHelper":1,"askedAt":"1","failure":{"paragraph":5,"exitCode":3,"until":1},"given":{"mark":"x","at":1}}',
  '{"latchkeyHelper":1,"failure":{"paragraph":"\\u001b[2J","exitCode":3,"until":1}}',
  '{"latchkeyHelper":1,"failure":{"paragraph":"x","exitCode":0,"until":1}}',
  '{"latchkeyHelper":1,"failure":null,"given":null}',
])("says nothing: %j", (text) => {
  expect(parseNote(text)).toEqual(
    text.includes(':1,"') ? { failure: undefined, askedAt: undefined, given: undefined } : {},
  );
});
