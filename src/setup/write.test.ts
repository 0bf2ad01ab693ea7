// A file is written as it was planned, or not at all: not where its tool reads it otherwise, nor over a change of others.

import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { appended } from "./lines.ts";
import type { FileChange } from "./tool-setup.ts";
import {
  isLinked,
  planWithout,
  removeLink,
  writeChange,
  writeLink,
  writeWithout,
} from "./write.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-write-"));
  path = join(folder, "config");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function change(textBefore: string | undefined, isRead?: FileChange["isRead"]): FileChange {
  const { text, insertion } = appended(textBefore ?? "", ["ours = latchkey"]);
  const shown = "ours = latchkey";
  return { path, textBefore, text, shown, insertions: [insertion], ...(isRead && { isRead }) };
}

test("the tool reads the new file before it takes the place of the old one", () => {
  writeFileSync(path, "a\n");
  const seen: string[] = [];
  const planned = change("a\n", (written) => {
    seen.push(readFileSync(written, "utf8"), readFileSync(path, "utf8"));
    return true;
  });
  writeChange(planned, "tool");
  expect(seen).toEqual(["a\nours = latchkey\n", "a\n"]);
  expect(readFileSync(path, "utf8")).toBe(planned.text);
});

test("what it would read otherwise is not written, and the lines are told", () => {
  writeFileSync(path, "a\n");
  expect(() =>
    writeChange(
      change("a\n", () => false),
      "tool",
    ),
  ).toThrow(/would not read/);
  expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["a\n", ["config"]]);
});

test("what somebody has changed since it was read is not written over", () => {
  writeFileSync(path, "theirs\n");
  expect(() => writeChange(change("a\n"), "tool")).toThrow(/at the same time/);
  expect(() => writeChange(change(undefined), "tool")).toThrow(/at the same time/);
  const without = { path, textBefore: "a\n", text: "", changed: [] };
  expect(() => writeWithout(without, "tool")).toThrow(/at the same time/);
  expect([readFileSync(path, "utf8"), readdirSync(folder)]).toEqual(["theirs\n", ["config"]]);
});

test("a file that was made goes with its last line, and not with lines of others", () => {
  const planned = change(undefined);
  writeChange(planned, "tool");
  const noted = { path, isNew: true, insertions: planned.insertions };
  writeWithout(planWithout(noted, "tool"), "tool");
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, `${planned.text}theirs\n`);
  writeWithout(planWithout(noted, "tool"), "tool");
  expect(readFileSync(path, "utf8")).toBe("theirs\n");
  // One that was there stays, empty as it was.
  writeFileSync(path, planned.text);
  writeWithout(planWithout({ ...noted, isNew: false }, "tool"), "tool");
  expect(readFileSync(path, "utf8")).toBe("");
});

test("a link is made and removed, and what is not ours stays", () => {
  const link = { path: join(folder, "plugins", "helper"), target: join(folder, "program") };
  expect(isLinked(link)).toBe(false);
  writeLink(link);
  expect(isLinked(link)).toBe(true);
  removeLink(link);
  expect(isLinked(link)).toBe(false);
  symlinkSync("/elsewhere", link.path);
  expect(() => isLinked(link)).toThrow(/is there already/);
  removeLink(link);
  expect(readdirSync(join(folder, "plugins"))).toEqual(["helper"]);
});
