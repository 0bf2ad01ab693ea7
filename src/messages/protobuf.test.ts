import { fileURLToPath } from "node:url";
import * as fc from "fast-check";
import protobufjs from "protobufjs";
import { expect, test } from "vitest";
import { adminService } from "./admin-service.ts";
import { oidcService } from "./oidc-service.ts";

const proto = (path: string): string =>
  fileURLToPath(new URL(`../../proto/${path}`, import.meta.url));
const reference = protobufjs.loadSync([
  proto("latchkey/v1/oidc_service.proto"),
  proto("xgtproto/admin_service.proto"),
]);

// A string of a message holds no lone surrogate.
const text = fc.string({ unit: "grapheme" });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const errors = fc.array(fc.record({ code: int32, message: text, detail: text }), { maxLength: 3 });
const protocolVersion = fc.option(fc.record({ major: int32, minor: int32, patch: int32 }), {
  nil: undefined,
});
const issuer = {
  issuer: text,
  configured: fc.boolean(),
  clientId: text,
  audience: text,
  scopes: text,
};

const samples = [
  [
    "latchkey.v1.GetOidcIssuerResponse",
    fc.record(issuer),
    oidcService.getOidcIssuer.responseSerialize,
    oidcService.getOidcIssuer.responseDeserialize,
  ],
  [
    "xgtproto.GetOidcIssuerResponse",
    fc.record({ error: errors, ...issuer }),
    adminService.getOidcIssuer.responseSerialize,
    adminService.getOidcIssuer.responseDeserialize,
  ],
  [
    "xgtproto.TokenAuthenticateRequest",
    fc.record({ accessToken: text, protocolVersion }),
    adminService.tokenAuthenticate.requestSerialize,
    adminService.tokenAuthenticate.requestDeserialize,
  ],
  [
    "xgtproto.AuthenticateResponse",
    fc.record({
      error: errors,
      sessionToken: text,
      userid: text,
      protocolVersion,
      clientSettings: fc.dictionary(text, text, { maxKeys: 3 }),
    }),
    adminService.tokenAuthenticate.responseSerialize,
    adminService.tokenAuthenticate.responseDeserialize,
  ],
] as const;

type Plain = Record<string, unknown>;

/** Without what is absent, and on ordinary prototypes. */
const plain = (message: unknown): unknown => JSON.parse(JSON.stringify(message));

test.each(samples)(
  "%s is read and written as protobufjs does it",
  (name, arbitrary, write, read) => {
    const type = reference.lookupType(name);
    const encode: (message: Plain) => Buffer = write;
    const decode: (bytes: Buffer) => object = read;
    fc.assert(
      fc.property(arbitrary as fc.Arbitrary<Plain>, (message) => {
        const theirs = Buffer.from(type.encode(type.fromObject(message)).finish());
        expect(plain(decode(theirs))).toEqual(plain(message));
        const settings = { defaults: true, arrays: true, objects: true };
        const back = type.toObject(type.decode(encode(message)), settings);
        const withoutAbsent = Object.entries(back).filter(([, value]) => value !== null);
        expect(plain(Object.fromEntries(withoutAbsent))).toEqual(plain(message));
      }),
      { numRuns: 50 },
    );
  },
);

test("both services answer with one layout, so that either can be read as the other", () => {
  const said = {
    issuer: "https://id",
    configured: true,
    clientId: "c",
    audience: "a",
    scopes: "s",
  };
  const bytes = oidcService.getOidcIssuer.responseSerialize(said);
  expect(adminService.getOidcIssuer.responseDeserialize(bytes)).toMatchObject(said);
});

const { responseDeserialize } = adminService.tokenAuthenticate;

test.each([
  ["a varint without end", [16, ...Array.from({ length: 11 }, () => 0x80)]],
  ["a varint that is cut off", [0x80]],
  ["a length beyond the end", [18, 200, 1, 65]],
  ["a field without a number", [2, 0]],
  ["a group", [11, 12]],
  ["a message that is cut off within", [34, 2, 8]],
  ["a string of another wire type", [16, 0]],
  ["a map of another wire type", [40, 0]],
  ["a string that is not UTF-8", [18, 1, 0xc0]],
])("%s is refused [D19]", (_name, bytes) => {
  expect(() => responseDeserialize(Buffer.from(bytes))).toThrow(TypeError);
});

test("fields that are not known are skipped, and the last one counts", () => {
  const unknown = [0xf8, 7, 1, 0xf9, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0xfa, 7, 1, 9, 0xfd, 7, 1, 2, 3, 4];
  const bytes = Buffer.from([...unknown, 18, 1, 65, ...unknown, 18, 1, 66]);
  expect(responseDeserialize(bytes)).toMatchObject({ sessionToken: "B", userid: "" });
});

test("a map's key is a name and nothing else", () => {
  const { responseSerialize } = adminService.tokenAuthenticate;
  const clientSettings = Object.fromEntries([["__proto__", "x"]]);
  const { clientSettings: read } = responseDeserialize(responseSerialize({ clientSettings }));
  expect(Object.entries(read)).toEqual([["__proto__", "x"]]);
  expect(Object.getPrototypeOf(read)).toBeNull();
});
