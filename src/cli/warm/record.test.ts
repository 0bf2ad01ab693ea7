// A warm start reads fewer files and fewer records than the full program, but none that the full program would not.

import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readPrivateFileSync, readUserFileSync } from "../../files/secure-read.ts";
import { idTokenTimes } from "../../core/stored-id-token.ts";
import { isFresh } from "../../record/fresh.ts";
import { formatCacheFile, parseCacheFile, parseRecord } from "../../record/parse.ts";
import { readConfiguration, readOwnFile } from "./files.ts";
import { isFreshEnough, warmRecord, warmTimes } from "./record.ts";
import { createHome, recordFor, unsignedIdToken, type Home } from "../testing.ts";

let home: Home;
let path: string;
beforeEach(() => {
  home = createHome();
  path = join(home.path, "private", "file");
  mkdirSync(dirname(path), { mode: 0o700 });
  writeFileSync(path, "content", { mode: 0o600 });
});
afterEach(() => home.remove());

function attempt<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

const quickly = (): unknown => attempt(() => readOwnFile(path));
const fully = (): unknown => attempt(() => readPrivateFileSync(path, 1_000_000)?.toString("utf8"));

const isRoot = process.getuid?.() === 0;
const situations: readonly [name: string, prepare: () => void, usable: boolean, root?: true][] = [
  ["private", () => undefined, true],
  ["absent [C02]", () => rmSync(path), false],
  ["readable by the group [C02]", () => chmodSync(path, 0o640), false],
  ["readable by others [C02]", () => chmodSync(path, 0o604), false],
  ["executable by others [C02]", () => chmodSync(path, 0o601), false],
  ["in a folder open to the group [C02]", () => chmodSync(dirname(path), 0o710), false],
  ["in a folder open to others [C02]", () => chmodSync(dirname(path), 0o701), false],
  ["of another user [C02]", () => chownSync(path, 12_345, 12_345), false, true],
  [
    "in a folder of another user [C02]",
    () => chownSync(dirname(path), 12_345, 12_345),
    false,
    true,
  ],
  [
    "a link [C03]",
    () => {
      writeFileSync(`${path}.target`, "content", { mode: 0o600 });
      rmSync(path);
      symlinkSync(`${path}.target`, path);
    },
    false,
  ],
  ["with a second hard link [C04]", () => linkSync(path, `${path}.other`), false],
  [
    "a pipe, without hanging [C04]",
    () => {
      rmSync(path);
      execFileSync("mkfifo", ["-m", "600", path]);
    },
    false,
  ],
  [
    "a folder [C04]",
    () => {
      rmSync(path);
      mkdirSync(path, { mode: 0o700 });
    },
    false,
  ],
];

test.each(situations)("a cache file: %s", (_name, prepare, usable, needsRoot) => {
  if (needsRoot && !isRoot) return;
  prepare();
  expect([quickly(), fully()]).toEqual(usable ? ["content", "content"] : [undefined, undefined]);
});

test("a file that is longer than a megabyte is the full program's to read [C08]", () => {
  writeFileSync(path, "x".repeat(1024 * 1024 + 1));
  expect(quickly()).toBeUndefined();
});

const rule = { what: "file", maxBytes: 1000, code: "invalid_option" } as const;

test.each([
  [0o600, true],
  [0o644, true],
  [0o664, false],
  [0o646, false],
])("a configuration file of mode %o is usable: %s", (mode, usable) => {
  chmodSync(path, mode);
  const both = [
    attempt(() => readConfiguration(path)),
    attempt(() => readUserFileSync(path, rule)?.toString("utf8")),
  ];
  expect(both).toEqual(usable ? ["content", "content"] : [undefined, undefined]);
});

test.each([
  [0o700, true],
  [0o755, true],
  [0o775, false],
  [0o777, false],
])("a configuration file in a folder of mode %o is usable: %s [F-S7]", (mode, usable) => {
  chmodSync(dirname(path), mode);
  const both = [
    attempt(() => readConfiguration(path)),
    attempt(() => readUserFileSync(path, rule)?.toString("utf8")),
  ];
  expect(both).toEqual(usable ? ["content", "content"] : [undefined, undefined]);
});

const configuration = { issuer: "https://id.example.com", clientId: "my-cli" };

test("a usual record is taken quickly", () => {
  const record = recordFor(configuration, { refreshToken: "r", idToken: "a.b.c" });
  expect(warmRecord(formatCacheFile([record]), record.key)).toEqual(record);
});

test("a record that is taken quickly is the one that is parsed, whatever one field holds", () => {
  const record = recordFor(configuration, {
    refreshToken: "r",
    idToken: "a.b.c",
    userinfoEndpoint: "https://id.example.com/u",
  });
  const values: readonly unknown[] = [
    null,
    0,
    -1,
    1.5,
    "",
    "x",
    "a\nb",
    "a\u007fb",
    "a\\b",
    "a!b",
    "a,b",
    "a b",
    "a\u0085b",
    "ä",
    1e13,
    1e16,
    "x".repeat(250),
    "x".repeat(140_000),
    [],
    ["a"],
    [1],
    ["a\tb"],
    {},
    true,
    undefined,
    Number.MAX_VALUE,
  ];
  const places: readonly (readonly [string] | readonly ["accessToken", string])[] = [
    ...Object.keys(record).map((name) => [name] as const),
    ["subject"] as const,
    ...Object.keys(record.accessToken ?? {}).map((name) => ["accessToken", name] as const),
  ];
  let taken = 0;
  for (const [name, inner] of places) {
    for (const value of values) {
      const changed: Record<string, unknown> = { ...record };
      changed[name] = inner === undefined ? value : { ...record.accessToken, [inner]: value };
      const file = `${JSON.stringify({ latchkey: 1, records: [changed] })}\n`;
      const quick = attempt(() => warmRecord(file, record.key));
      if (quick === undefined) continue;
      const parsed = parseCacheFile(file, parseRecord);
      const [full] = parsed.state === "records" ? parsed.records : [];
      // The issuer and the client of the key are compared by answer.ts with what was asked for.
      if (name === "issuer" || name === "clientId" || name === "tokenEndpoint") continue;
      taken += 1;
      expect([name, inner, value, full]).toEqual([name, inner, value, quick]);
    }
  }
  expect(taken).toBeGreaterThan(20);
});

test("another key, another schema, several records or __proto__ are the full program's [C08][C10]", () => {
  const record = recordFor(configuration);
  const file = (records: unknown[], schema = 1): string =>
    JSON.stringify({ latchkey: schema, records });
  const take = (text: string): unknown => attempt(() => warmRecord(text, record.key));
  expect(take(file([record]))).toEqual(record);
  expect(take(file([record, record]))).toBeUndefined();
  expect(take(file([record], 2))).toBeUndefined();
  expect(take(file([]))).toBeUndefined();
  expect(take(file([{ ...record, key: `${record.key} ` }]))).toBeUndefined();
  expect(
    take(`{"latchkey":1,"__proto__":{"records":[${JSON.stringify(record)}]}}`),
  ).toBeUndefined();
  for (const broken of [
    "",
    "null",
    "[]",
    "{",
    "1",
    '{"latchkey":1,"records":[null]}',
    '{"latchkey":1,"records":{"length":1}}',
  ]) {
    expect(take(broken)).toBeUndefined();
  }
});

test("fresh quickly is fresh, for any times [C16][R16]", () => {
  const now = 1_700_000_000;
  for (const issued of [-4000, -3600, -100, -60, -30, -1, 0, 30, 60, 61, 100, 4000]) {
    for (const ends of [null, -100, -1, 0, 1, 29, 30, 31, 59, 60, 61, 120, 3600, 10_000]) {
      for (const wanted of [0, 1, 30, 60, 600, 4000]) {
        const times = { issuedAt: now + issued, expiresAt: ends === null ? null : now + ends };
        expect([issued, ends, wanted, isFreshEnough(times, wanted, now)]).toEqual([
          issued,
          ends,
          wanted,
          isFresh(times, wanted, now),
        ]);
      }
    }
  }
});

test("an ID token without both times is the full program's", () => {
  expect(warmTimes(unsignedIdToken({ iat: 1, exp: 2 }))).toEqual({ issuedAt: 1, expiresAt: 2 });
  for (const idToken of [
    undefined,
    "",
    "a.b.c",
    unsignedIdToken({ iat: 1 }),
    unsignedIdToken({ iat: "1", exp: "2" }),
  ]) {
    expect(attempt(() => warmTimes(idToken))).toBeUndefined();
  }
});

test.each([
  { iat: 1000, exp: 2000 },
  { iat: 1000, exp: 1e300 },
  { iat: -1, exp: 2000 },
  { iat: 1e300, exp: 1e301 },
  { iat: "1", exp: 2000 },
  { exp: 2000 },
])("an ID token's times are read quickly as they are read fully: %j [F-S17]", (claims) => {
  const idToken = unsignedIdToken(claims);
  expect(warmTimes(idToken)).toEqual(idTokenTimes(idToken));
});
