// How a command is split. Changes when a command needs another kind of quoting.
import { expect, test } from "vitest";
import { splitCommand } from "./command-words.ts";

test("a command is split without a shell, and quotes group [B06]", () => {
  expect(splitCommand(`  firefox  --profile "My Profile" 'a "b"' x""y  "" `)).toEqual([
    "firefox",
    "--profile",
    "My Profile",
    'a "b"',
    "xy",
    "",
  ]);
  expect(splitCommand(`C:\\Tools\\b.exe $HOME $(x) \\`)).toEqual([
    "C:\\Tools\\b.exe",
    "$HOME",
    "$(x)",
    "\\",
  ]);
  expect(splitCommand(`a "b`)).toBeUndefined();
  expect(splitCommand(" \t\n")).toEqual([]);
});
