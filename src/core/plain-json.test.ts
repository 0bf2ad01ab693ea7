// However it is written, no member is called __proto__.
import { expect, test } from "vitest";
import { parsePlainJson } from "./plain-json.ts";

test.each([
  '{"__proto__":{"admin":true},"a":1}',
  String.raw`{"\u005f_proto__":{"admin":true},"a":1}`,
  String.raw`{"\u005F\u005fproto\u005F_":{"admin":true},"a":1}`,
])("%s has no such member [F-S16] [P05]", (text) => {
  const value = parsePlainJson(`[{"deeper":${text}}]`) as { deeper: object }[];
  expect(Object.getOwnPropertyNames(value[0]?.deeper)).toEqual(["a"]);
  expect(value[0]?.deeper).not.toHaveProperty("admin");
});

test("every other text means what it means", () => {
  const text = String.raw`{"proto":"__proto","a":"\n\\x","b":[1,null,{"c":"ü"}]}`;
  expect(parsePlainJson(text)).toEqual(JSON.parse(text));
  expect(() => parsePlainJson("{")).toThrow(SyntaxError);
});
