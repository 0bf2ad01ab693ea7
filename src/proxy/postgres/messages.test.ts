// What of PostgreSQL's first packets is taken, and what ends the connection.

import { describe, expect, test } from "vitest";
import {
  bearerMessage,
  errorMessage,
  messageOf,
  readAuthentication,
  readPassword,
  readStartup,
  tlsRequest,
  withDatabase,
} from "./messages.ts";

function packet(code: number, body: string | Buffer = ""): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt32BE(8 + Buffer.byteLength(body));
  head.writeInt32BE(code, 4);
  return Buffer.concat([head, Buffer.from(body)]);
}
const version3 = 3 << 16;

describe("a client's first packet", () => {
  test("says user and database, and goes on as it is", () => {
    const whole = packet(version3, "user\0ann\0database\0app\0\0");
    const read = readStartup(whole);
    expect(read).toMatchObject({ kind: "startup", whole });
    if (read.kind !== "startup") throw new Error(read.kind);
    expect(withDatabase(read, "other")).toBe(whole);
  });

  test("gets the database of the address where it names none", () => {
    const read = readStartup(packet(version3 + 2, "user\0ann\0\0"));
    if (read.kind !== "startup") throw new Error(read.kind);
    expect(withDatabase(read, "app")).toEqual(packet(version3 + 2, "user\0ann\0database\0app\0\0"));
    expect(withDatabase(read, "")).toBe(read.whole);
  });

  test.each([
    ["no user", packet(version3, "database\0app\0\0")],
    ["another version", packet(2 << 16, "user\0ann\0\0")],
    ["no end", packet(version3, "user\0ann\0")],
    ["a name without a value", packet(version3, "user\0ann\0x\0\0")],
    ["an empty name", packet(version3, "user\0ann\0\0x\0\0")],
    ["a key that is none", packet(80_877_102, "1234")],
    ["a key that is endless", packet(80_877_102, Buffer.alloc(300))],
    ["nothing", Buffer.alloc(4)],
  ])("%s: it is not known", (_what, whole) => {
    expect(readStartup(whole)).toEqual({ kind: "unknown" });
  });

  test("asks for encryption, or for a query to end", () => {
    expect(readStartup(tlsRequest)).toEqual({ kind: "encryption", way: "tls" });
    expect(readStartup(packet(80_877_104))).toEqual({ kind: "encryption", way: "gss" });
    const cancel = packet(80_877_102, Buffer.from([0, 0, 0, 1, 0, 0, 0, 2]));
    expect(readStartup(cancel)).toMatchObject({ kind: "cancel", key: "0000000100000002" });
  });
});

test("a token is sent as RFC 7628 has it, and an error holds no zero of its own", () => {
  const said = "n,,\u0001auth=Bearer abc\u0001\u0001";
  const length = Buffer.from([0, 0, 0, said.length]);
  const body = Buffer.concat([Buffer.from("OAUTHBEARER\0"), length, Buffer.from(said)]);
  expect(bearerMessage("abc")).toEqual(messageOf("p", body));
  expect(errorMessage("28000", "a\0b").toString("latin1")).toContain("Mab\0\0");
});

test("what the server wants is read, whatever its length", () => {
  const sasl = Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from("OAUTHBEARER\0X\0\0")]);
  expect(readAuthentication(sasl)).toEqual({ kind: "sasl", mechanisms: ["OAUTHBEARER", "X"] });
  expect(readAuthentication(Buffer.from([0, 0, 0, 0]))).toEqual({ kind: "ok" });
  for (const bytes of [[], [0, 0], [0, 0, 0, 5, 1, 2, 3, 4]]) {
    expect(readAuthentication(Buffer.from(bytes))).toEqual({ kind: "other" });
  }
  expect(readPassword({ type: "p", body: Buffer.from("secret\0") })).toBe("secret");
  expect(readPassword({ type: "p", body: Buffer.from("secret") })).toBeUndefined();
  expect(readPassword({ type: "Q", body: Buffer.from("secret\0") })).toBeUndefined();
});
