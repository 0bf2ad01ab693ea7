// A token has one spelling: every other text of the same octets is refused, and so is what cannot be heeded.
import {
  array,
  assert as checkAll,
  constantFrom,
  letrec,
  oneof,
  property,
  string as anyString,
  tuple,
} from "fast-check";
import { describe, expect, test } from "vitest";
import { maxTokenCharacters } from "../core/limits.ts";
import { claimsOf, parseCompactToken } from "./compact-token.ts";

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");
const header = encode('{"alg":"ES256"}');
const alphabet = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

test("the parts of a token, as they are signed", () => {
  const parsed = parseCompactToken(`${header}.${encode('{"sub":"alice"}')}.${encode("signature")}`);
  expect(parsed).toMatchObject({ algorithm: "ES256", keyId: undefined, header: { alg: "ES256" } });
  expect(parsed?.signed.toString()).toBe(`${header}.${encode('{"sub":"alice"}')}`);
  expect(parsed?.signature.toString()).toBe("signature");
  expect(parsed && claimsOf(parsed)).toEqual({ sub: "alice" });
});

test("[K07] no character but those of the alphabet stands anywhere", () => {
  const parts = [header, encode('{"sub":"alice"}'), encode("signature!")];
  const whole = parts.join(".");
  expect(parseCompactToken(whole)).toBeDefined();
  // All of the first pages of Unicode, and those whose low octet is of the alphabet.
  const strangers = Array.from({ length: 0x180 }, (_none, code) => String.fromCharCode(code))
    .concat(alphabet.map((letter) => String.fromCharCode(0x2600 + letter.charCodeAt(0))))
    .filter((character) => !alphabet.includes(character));
  const places = parts.flatMap((part, index) => {
    const start = parts.slice(0, index).join(".").length + (index === 0 ? 0 : 1);
    return [start, start + 1, start + part.length - 1, start + part.length];
  });
  const accepted = strangers.flatMap((stranger) =>
    places.flatMap((at) => [
      `${whole.slice(0, at)}${stranger}${whole.slice(at)}`,
      `${whole.slice(0, at)}${stranger}${whole.slice(at + 1)}`,
    ]),
  );
  // A dot in the place of a dot is the token itself.
  expect(
    accepted.filter((text) => text !== whole && parseCompactToken(text) !== undefined),
  ).toEqual([]);
});

test("[K07] the bits that are left over are zero", () => {
  for (const octets of [1, 2, 4, 5]) {
    const signature = encode(Buffer.alloc(octets, 0xff));
    const last = alphabet.indexOf(signature.at(-1) ?? "");
    const spellings = alphabet.filter((_letter, index) => {
      const text = `${header}.${encode("{}")}.${signature.slice(0, -1)}${alphabet[index] ?? ""}`;
      const parsed = parseCompactToken(text);
      return parsed?.signature.equals(Buffer.alloc(octets, 0xff)) === true;
    });
    expect(spellings).toEqual([alphabet[last]]);
  }
});

test("[K07] a text is accepted exactly where it is what its octets are written as", () => {
  const text = anyString({
    unit: constantFrom(...alphabet, "+", "/", "=", " ", "é", "Ł"),
    maxLength: 12,
  });
  checkAll(
    property(text, text, (payload, signature) => {
      const isCanonical = [payload, signature].every(
        (part) => /^[\w-]*$/.test(part) && encode(Buffer.from(part, "base64url")) === part,
      );
      expect(parseCompactToken(`${header}.${payload}.${signature}`) !== undefined).toBe(
        isCanonical,
      );
    }),
    { numRuns: 2000 },
  );
});

describe("[K07] headers", () => {
  const parse = (text: string): unknown => parseCompactToken(`${encode(text)}.${encode("{}")}.AA`);
  test.each([
    '{"alg":"ES256","crit":["exp"]}',
    '{"alg":"ES256","crit":[]}',
    '{"alg":"ES256","crit":null}',
    '{"alg":"ES256","b64":false}',
    '{"alg":"ES256","b64":null}',
    '{"alg":["ES256"]}',
    "{}",
    "[]",
    "null",
    '"ES256"',
    "",
    " ",
    "{",
    '{"alg":"ES256"} {}',
    '\u{feff}\u{feff}{"alg":"ES256"}',
    '{"alg":"ES256","alg":"ES256"}',
    '{"alg":"ES256","x":{"y":1,"y":1}}',
    '{"alg":"none","a\\u006cg":"ES256"}',
  ])("%s", (text) => expect(parse(text)).toBeUndefined());

  test("that are not UTF-8", () => {
    const octets = Buffer.concat([
      Buffer.from('{"alg":"ES256","kid":"'),
      Buffer.from([0xc3, 0x28]),
      Buffer.from('"}'),
    ]);
    expect(parseCompactToken(`${encode(octets)}.${encode("{}")}.AA`)).toBeUndefined();
  });

  test("with keys of their own are read, and the keys are not", () => {
    expect(parse('{"alg":"ES256","kid":7,"jku":"https://x","jwk":{}}')).toMatchObject({
      keyId: undefined,
    });
  });
});

test("[K07] dots, lengths and what is not a JWS", () => {
  const good = `${header}.${encode("{}")}.AA`;
  const jwe = `${encode('{"alg":"dir","enc":"A128GCM"}')}..AA.AA.AA`;
  for (const text of [
    "",
    ".",
    "..",
    "...",
    `.${good}`,
    `${good}.`,
    good.replace(".", ".."),
    jwe,
    ".".repeat(100_000),
  ]) {
    expect(parseCompactToken(text)).toBeUndefined();
  }
  expect(parseCompactToken(`${good}${"A".repeat(maxTokenCharacters)}`)).toBeUndefined();
});

test("[K07] claims are one object, in which no name stands twice, and nothing reaches a prototype", () => {
  const claims = (text: string): unknown => claimsOf({ payload: Buffer.from(text) });
  for (const text of [
    "[]",
    "1",
    "null",
    '"{}"',
    "",
    '{"a":1,"a":1}',
    '{"a":[{"b":1,"b":2}]}',
    '{"a":1,"\\u0061":2}',
  ]) {
    expect(claims(text)).toBeUndefined();
  }
  expect(claims('{"__proto__":{"sub":"admin"},"sub":"alice"}')).toEqual({ sub: "alice" });
  const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
  expect(claims(nested(100))).toBeDefined();
  expect(claims(nested(102))).toBeUndefined();
  expect(claims(nested(20_000)) === undefined).toBe(true);
});

test("[K07] names that stand twice are found in any JSON, and others are not taken for it", () => {
  // JSON with objects of names that may repeat, and with all the ways to write one thing.
  const name = constantFrom("a", "b", ":", "", '\\"', "\\u0061", "é", " a", "__proto__");
  const space = constantFrom("", "", "", " ", "\n");
  const scalar = constantFrom("1", "null", '"x"', '":"', '"\\":"', '" "', '"é"', "1e3");
  const { value } = letrec<{ value: { text: string; isTwice: boolean } }>((tie) => ({
    value: oneof(
      { maxDepth: 3, withCrossShrink: true },
      scalar.map((text) => ({ text, isTwice: false })),
      array(tie("value"), { maxLength: 3 }).map((entries) => ({
        text: `[${entries.map(({ text }) => text).join()}]`,
        isTwice: entries.some(({ isTwice }) => isTwice),
      })),
      array(tuple(name, space, tie("value")), { maxLength: 4 }).map((members) => {
        const names = members.map(([each]) => JSON.parse(`"${each}"`) as string);
        return {
          text: `{${members.map(([each, gap, { text }]) => `"${each}"${gap}:${gap}${text}`).join()}}`,
          isTwice:
            new Set(names).size < names.length || members.some(([, , { isTwice }]) => isTwice),
        };
      }),
    ),
  }));
  checkAll(
    property(value, ({ text, isTwice }) => {
      const claims = claimsOf({ payload: Buffer.from(`{"outer":${text}}`) });
      expect(claims === undefined).toBe(isTwice);
    }),
    { numRuns: 2000 },
  );
});
