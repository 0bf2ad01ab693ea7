// A file for other programs: whole, its owner's alone, and in no folder of everybody's.

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replaceUserFile } from "./user-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-user-file-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("replaces the whole, with mode 0600 whatever was there", () => {
  const path = join(folder, "token");
  writeFileSync(path, "something longer than a token", { mode: 0o644 });
  replaceUserFile(path, "one");
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["one", 0o600]);
  expect(readdirSync(folder)).toEqual(["token"]);
});

test("a link is replaced and not followed", () => {
  const [target, path] = [join(folder, "other"), join(folder, "token")];
  writeFileSync(target, "untouched");
  symlinkSync(target, path);
  replaceUserFile(path, "one");
  expect([readFileSync(target, "utf8"), lstatSync(path).isSymbolicLink()]).toEqual([
    "untouched",
    false,
  ]);
});

test("not in a folder that others may write", () => {
  chmodSync(folder, 0o777);
  expect(() => replaceUserFile(join(folder, "token"), "one")).toThrow(
    /can be written by other users/,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test("what cannot be written is said, and nothing is left", () => {
  mkdirSync(join(folder, "token"));
  expect(() => replaceUserFile(join(folder, "token"), "one")).toThrow(/could not be written \(E/);
  expect(readdirSync(folder)).toEqual(["token"]);
  expect(() => replaceUserFile(join(folder, "absent", "token"), "one")).toThrow(/ENOENT/);
});
