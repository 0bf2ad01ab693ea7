// What may be sent with `latchkey fetch`, and what is refused before anything is.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import { thisMachine } from "../options/paths.ts";
import { parseArguments } from "./arguments.ts";
import { readRequest, type RequestInput } from "./request-input.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-request-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "data");
writeFileSync(file, Buffer.from([0, 0xff, 10]));

function read(...typed: string[]): Promise<RequestInput> {
  return readRequest(parseArguments(["fetch", ...typed]), {
    machine: thisMachine({ HOME: folder }),
    isInputTaken: true,
    signal: new AbortController().signal,
  });
}

async function refusal(...typed: string[]): Promise<string> {
  const error: unknown = await read(...typed).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error) || error.code !== "invalid_option") throw new Error("not refused");
  return error.message;
}

test("a host alone is https; with data the method is POST, and its type as with curl", async () => {
  const plain = await read("api.example.com/a?b#c");
  expect([plain.url.href, plain.method, plain.body, [...plain.headers]]).toEqual([
    "https://api.example.com/a?b",
    "GET",
    undefined,
    [],
  ]);
  const sent = await read("https://a.example", "-d", "x=1", "--data=-2", "-H", "Accept:  a/b ");
  expect([sent.method, Buffer.from(sent.body ?? []).toString(), [...sent.headers]]).toEqual([
    "POST",
    "x=1&-2",
    [
      ["accept", "a/b"],
      ["content-type", "application/x-www-form-urlencoded"],
    ],
  ]);
  const own = await read("a.example", "-d", "", "-H", "content-type: a/b", "-X", "patch");
  expect([own.method, own.body?.length, own.headers.get("content-type")]).toEqual([
    "PATCH",
    0,
    "a/b",
  ]);
});

test("files are sent as they are; ~/ is the home folder", async () => {
  for (const name of [file, "~/data"]) {
    const { body } = await read("a.example", "-d", `@${name}`, "-d", "b");
    expect(Buffer.from(body ?? [])).toEqual(Buffer.from([0, 0xff, 10, 0x26, 0x62]));
  }
  writeFileSync(join(folder, "headers"), "X-A: 1\r\n\nX-B: 2");
  const { headers } = await read("a.example", "-H", `@${join(folder, "headers")}`, "-H", "x-a: 3");
  expect([...headers]).toEqual([
    ["x-a", "1, 3"],
    ["x-b", "2"],
  ]);
});

test.each([
  [["ftp://a.example"], "URL is neither an https: nor an http: address."],
  [["https://u:s3cret@a.example"], "URL holds a user name or a password."],
  [["https://"], "URL is not an address."],
  [[`https://a.example/${"x".repeat(9000)}`], "URL is not an address."],
  [["a.example", "-X", "CONNECT"], "--method is not a method that can be sent."],
  [["a.example", "-X", "s3 cret"], "--method is not a method that can be sent."],
  [["a.example", "-H", "AUTHORIZATION: s3cret"], "--header is Authorization, which is where"],
  [["a.example", "-H", "a: b", "-H", "Host: s3cret"], "--header number 2 is Host, which belongs"],
  [["a.example", "-H", "Proxy-Authorization: s3cret"], "which belongs to the connection"],
  [["a.example", "-H", "s3cret"], "--header is not a header."],
  [["a.example", "-H", "a: s3cret\nb: c"], "--header is not a header."],
  [["a.example", "-H", "a: s3cret\u20ac"], "--header is not a header."],
  [["a.example", "-d", "@-"], "Standard input can be read only once."],
  [["a.example", "-d", "@"], "--data @ needs the name of a file"],
  [["a.example", "-d", `@${folder}`], "could not be read (EISDIR)"],
  [["a.example", "-d", `@${folder}/none`], "does not exist"],
])("refuses %j and shows no value [O07]", async (typed, said) => {
  const message = await refusal(...typed);
  expect(message).toContain(said);
  expect(message).not.toContain("s3cret");
});

test("a file of headers is judged line by line, and is bounded", async () => {
  const headers = join(folder, "faulty");
  writeFileSync(headers, "A: b\nAuthorization: s3cret\n");
  expect(await refusal("a.example", "-H", `@${headers}`)).toContain(
    "Line 2 of --header is Authorization",
  );
  writeFileSync(headers, "A: b\n".repeat(20_000));
  expect(await refusal("a.example", "-H", `@${headers}`)).toContain("longer than 65536 bytes");
});
