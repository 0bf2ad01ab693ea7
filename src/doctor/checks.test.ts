// The table of checks: its names are part of the report, and docs/doctor.md has each of them.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { checkedTools, checks, checksFor } from "./checks.ts";

test("docs/doctor.md has every check, in the order of the report", () => {
  const page = readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
  const [, table = ""] = page.split("## The checks");
  const names = [...table.matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name);
  expect(names).toEqual(checks.map(({ name }) => name));
});

test("names are said once, and a tool has checks of its own alone", () => {
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
  for (const tool of checkedTools) {
    expect(new Set(checksFor(tool).map(({ area }) => area))).toEqual(new Set([tool]));
  }
  expect(checksFor("https://id.example.com")).toBe(checks);
});
