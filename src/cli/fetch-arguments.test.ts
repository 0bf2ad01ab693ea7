// The argument list of `latchkey fetch`: letters with their values, flags that may be repeated, a name that is shared.

import { expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { parseArguments } from "./arguments.ts";

function refusal(...argumentList: string[]): string {
  try {
    parseArguments(argumentList);
  } catch (error) {
    if (!isOidcError(error) || error.code !== "invalid_option") throw error;
    return error.message;
  }
  throw new Error(`${argumentList.join(" ")} was accepted`);
}

const url = "https://a.example";

test("letters stand apart from their values or together with them, and what is repeated is kept", () => {
  const line = parseArguments([
    "fetch",
    "-XPUT",
    "-H",
    "A: b",
    url,
    "-HC: d",
    "-d@x",
    "-d",
    "y",
    "-i",
  ]);
  expect([line.command, line.arguments, line.flags, line.lists]).toEqual([
    "fetch",
    { url },
    { method: "PUT", include: true },
    { header: ["A: b", "C: d"], data: ["@x", "y"] },
  ]);
});

test("--header takes a value here, and is a switch of token, wherever the command stands", () => {
  expect(parseArguments(["--header", "A: b", "fetch", url]).lists).toEqual({ header: ["A: b"] });
  expect(parseArguments(["--header", "token"])).toMatchObject({
    command: "token",
    flags: { header: true },
    lists: {},
  });
  expect(parseArguments(["fetch", url, "--json-is-not-one", "--help"]).topic).toBe("fetch");
  expect(refusal("token", "-H", "A: b")).toContain("There is no flag -H.");
  expect(refusal("status", "--header", "A: s3cret")).toBe(
    "latchkey status has no flag --header; it belongs to latchkey token, latchkey fetch.",
  );
});

test("a long name behind one dash is not a letter with its value, and no value is shown [O07]", () => {
  expect(refusal("fetch", url, "-data", "x")).toContain(
    "There is no flag -data. Did you mean --data?",
  );
  expect(refusal("fetch", url, "-output=x")).toContain("Did you mean --output?");
  expect(refusal("fetch", url, "-if")).toContain("There is no flag -if.");
  expect(refusal("fetch", url, "-H")).toBe("--header needs a value: --header=VALUE.");
  expect(refusal("--header", "s3cret", "fetsh")).toContain("Did you mean fetch?");
});
