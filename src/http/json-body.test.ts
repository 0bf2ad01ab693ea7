import { expect, test } from "vitest";
import type { HttpAnswer } from "./exchange.ts";
import { isJson, readJsonObject } from "./json-body.ts";

function answer(body: string | Uint8Array, contentType = "application/json"): HttpAnswer {
  return {
    status: 200,
    headers: contentType === "" ? {} : { "content-type": contentType },
    body: new Uint8Array(Buffer.from(body as string)),
    url: "https://id.example.com/",
  };
}

function why(body: string | Uint8Array, contentType?: string): string | undefined {
  const result = readJsonObject(answer(body, contentType));
  return result.ok ? undefined : result.why;
}

test("reads an object with what is in it", () => {
  const text = '{"a":[1,{"b":"\\ud83d\\udd11"}],"c":null,"brackets":"[[{{\\"[["}';
  const result = readJsonObject(answer(text));
  expect(result).toEqual({ ok: true, value: JSON.parse(text) as unknown });
});

test.each([
  ["a byte order mark inside", '{"a":\ufeff1}', /not JSON/],
  ["an array", "[1]", /not an object/],
  ["null", "null", /not an object/],
  ["a string", '"a"', /not an object/],
  ["nothing", " \n", /empty/],
  ["text", "{a:1}", /not JSON/],
  ["two values", "{}{}", /not JSON/],
  ["a lone surrogate in a value", '{"a":"\\ud800"}', /half a character/],
  ["a lone surrogate in a name", '{"\\udc00":1}', /half a character/],
  ["a lone surrogate deep inside", '{"a":[{"b":["\\ud800x"]}]}', /half a character/],
  ["100 000 levels of arrays", `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /deep/],
  ["100 000 levels of objects", '{"a":'.repeat(100_000) + "1" + "}".repeat(100_000), /deep/],
])("refuses %s [N06]", (_what, body, expected) => {
  expect(why(body)).toMatch(expected);
});

test.each([
  [
    "a token answer that calls itself text/html",
    '{"access_token":"a","token_type":"Bearer"}',
    "text/html; charset=UTF-8",
  ],
  [
    "a discovery document behind a byte order mark",
    '\ufeff{"issuer":"https://op.example.com"}',
    "application/json",
  ],
])("[json-called-text-html-or-with-bom] reads %s", (_what, body, type) => {
  expect(readJsonObject(answer(body, type))).toEqual({
    ok: true,
    value: JSON.parse(body.replace("\ufeff", "")) as unknown,
  });
});

test("text that calls itself a page is no JSON, and not a page either", () => {
  expect(why("Hotel Wi-Fi", "text/html")).toMatch(/not JSON/);
});

test("refuses bytes that are no UTF-8 [N06]", () => {
  expect(why(Uint8Array.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toMatch(/UTF-8/);
});

test.each([
  ["that calls itself JSON", "  <!doctype html><p>welcome to Hotel Wi-Fi", "application/json"],
  ["behind a byte order mark", "\ufeff<p>Hotel Wi-Fi", "text/html; charset=utf-8"],
])("recognises a web page %s, hints at a proxy and quotes nothing [N05]", (_how, body, type) => {
  expect(why(body, type)).toMatch(/web page.*HTTPS_PROXY/);
  expect(why(body, type)).not.toContain("Hotel");
});

test("keeps prototypes out of reach [P05]", () => {
  const result = readJsonObject(
    answer('{"__proto__":{"polluted":1},"a":{"__proto__":{"polluted":1},"constructor":2}}'),
  );
  const value = result.ok ? result.value : {};
  expect(Object.getPrototypeOf(value)).toBeNull();
  expect(Object.getPrototypeOf(value["a"])).toBeNull();
  expect(Object.keys(value)).toEqual(["a"]);
  const merged: Record<string, unknown> = Object.assign({}, value, value["a"]);
  expect(merged["polluted"]).toBeUndefined();
});

test.each([
  ["application/json", true],
  ["Application/JSON; charset=utf-8", true],
  ["application/jrd+json", true],
  ["application/jwt", false],
  ["text/json", false],
  ["text/html", false],
  ["application/json-seq", false],
  ["", false],
])("says of the type %s: JSON %s [N05]", (type, expected) => {
  expect(isJson(answer("{}", type))).toBe(expected);
});
