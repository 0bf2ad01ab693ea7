// git's protocol: bearer where both sides take it, and a refused token healed within one command.

import { expect, test } from "vitest";
import { parseDescription, tool } from "./git.ts";
import { tokenMark } from "./notes.ts";
import { answer, handed } from "./testing.ts";
import { HelperFailure } from "./tool.ts";

const capabilities = ["capability[]=authtype", "capability[]=state"];
const here = ["protocol=https", "host=git.example.com"];
const bearer = 'wwwauth[]=Bearer realm="git", resource_metadata="https://git.example.com/x"';
const lines = (...text: readonly string[]): string => `${text.join("\n")}\n\n`;
const get = ["get"];
const end = String(Date.parse("2026-12-01T12:00:00Z") / 1000);

test("reads lists and values up to the empty line", () => {
  const {
    values,
    capabilities: known,
    challenges,
  } = parseDescription(
    lines(...capabilities, ...here, bearer, "wwwauth[]=Basic", "path=a=b") + "host=evil.example\n",
  );
  expect(Object.fromEntries(values)).toEqual({
    protocol: "https",
    host: "git.example.com",
    path: "a=b",
  });
  expect(known).toEqual(["authtype", "state"]);
  expect(challenges).toHaveLength(2);
});

test("the first round: a bearer token, and the state with which git comes back", async () => {
  const { printed, requests } = await answer(tool, {
    words: get,
    input: lines(...capabilities, ...here, bearer),
  });
  expect(printed.trim().split("\n")).toEqual([
    ...capabilities,
    "authtype=Bearer",
    "credential=token-1",
    "ephemeral=1",
    `password_expiry_utc=${end}`,
    `state[]=latchkey:${tokenMark("token-1")}`,
    "continue=1",
  ]);
  expect(requests).toEqual([{ place: "git.example.com:443", refused: undefined }]);
});

test("the second round: the first token was refused, and git is not to come back", async () => {
  const { printed, requests } = await answer(tool, {
    words: get,
    input: lines(...capabilities, ...here, bearer, `state[]=latchkey:${tokenMark("old")}`),
  });
  expect(requests).toEqual([{ place: "git.example.com:443", refused: { mark: tokenMark("old") } }]);
  expect(printed).toContain("credential=token-1\n");
  expect(printed).not.toContain("continue");
});

test("without the capability of states git gets no state", async () => {
  const { printed } = await answer(tool, {
    words: get,
    input: lines("capability[]=authtype", ...here, bearer),
  });
  expect(printed).toContain("authtype=Bearer\n");
  expect(printed).not.toMatch(/state|continue/);
});

test("where the server offers Basic too and git is old: the token as a password", async () => {
  const { printed } = await answer(tool, {
    words: get,
    input: lines(...here, bearer, "wwwauth[]=Basic realm=x"),
  });
  expect(printed).toBe(`username=oauth2\npassword=token-1\npassword_expiry_utc=${end}\n`);
});

test("the user name of the table before the one that git has", async () => {
  const input = lines(...here, "username=alice");
  expect((await answer(tool, { words: get, input })).printed).toMatch(/^username=alice\n/);
  const token = (): typeof handed => ({ ...handed, username: "x-token" });
  expect((await answer(tool, { words: get, input, token })).printed).toMatch(/^username=x-token\n/);
});

test("an old git and a server that takes bearer tokens alone: said, and git asks nobody for a password", async () => {
  await expect(answer(tool, { words: get, input: lines(...here, bearer) })).rejects.toThrow(
    /Install git 2\.46 or later/,
  );
});

test.each([
  [["protocol=http", "host=git.example.com"]],
  [["protocol=https", "host=git.example.com/x"]],
  [["protocol=ssh", "host=git.example.com"]],
  [["protocol=https"]],
])("nothing is asked for %j", async (where) => {
  const { status, printed, requests } = await answer(tool, { words: get, input: lines(...where) });
  expect([status, printed, requests]).toEqual([0, "", []]);
});

test("another host gets nothing, and git goes on to its next helper", async () => {
  const { status, printed } = await answer(tool, {
    words: get,
    input: lines(...capabilities, ...here, bearer),
    token: () => undefined,
  });
  expect([status, printed]).toEqual([0, ""]);
});

test("a refused token comes with its words, and git waits for nobody", async () => {
  const { printed, requests } = await answer(tool, {
    words: ["erase"],
    input: lines(...here, "authtype=Bearer", "credential=old"),
  });
  expect(printed).toBe("");
  expect(requests).toEqual([
    { place: "git.example.com:443", refused: { token: "old" }, quiet: true },
  ]);
  const failed = await answer(tool, {
    words: ["erase"],
    input: lines(...here, "password=old"),
    token: () => {
      throw new HelperFailure("x", 3);
    },
  });
  expect(failed.status).toBe(0);
});

test("what is stored and what is not known is passed over", async () => {
  for (const word of ["store", "capability", "whatever"]) {
    expect(await answer(tool, { words: [word] })).toMatchObject({ status: 0, printed: "" });
  }
});
