// Some hundred forged, spoiled and misused tokens for each kind of key: none is accepted, and none of the good ones refused.
import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  algorithms,
  claims,
  encode,
  headerOf,
  names,
  now,
  published,
  signed,
  signedText,
  spoiled,
  token,
  withSignature,
  type Algorithm,
} from "../../test/support/access-token-forge.ts";
import {
  outcomeOf,
  playedAudience as audience,
  playedIssuer as issuer,
  playVerifier,
} from "../../test/support/played-issuer.ts";

const foreign = generateKeyPairSync("ec", { namedCurve: "P-256" });

type Kind = (alg: Algorithm) => readonly string[];
const json = JSON.stringify;

const hostile: Readonly<Record<string, Kind>> = {
  "[K01] no signature, whatever is claimed": (alg) =>
    ["none", "None", "NONE", "nOnE", "", alg].flatMap((name) => {
      const text = `${encode(headerOf(alg, { alg: name }))}.${encode(claims())}`;
      return [`${text}.`, `${text}.AA`, text];
    }),
  "[K01] the public key taken for a secret": (alg) => {
    const { publicKey } = algorithms[alg];
    const secrets = [
      json(publicKey.export({ format: "jwk" })),
      publicKey.export({ format: "pem", type: "spki" }),
      ` ${String(publicKey.export({ format: "pem", type: "spki" }))}`,
      publicKey.export({ format: "der", type: "spki" }),
      "",
    ];
    return secrets.map((secret) => {
      const text = `${encode(headerOf(alg, { alg: "HS256" }))}.${encode(claims())}`;
      return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    });
  },
  "[K01] another algorithm of the same key, or one that does not exist": (alg) => {
    const others = [
      "RS256",
      "RS384",
      "RS512",
      "PS256",
      "PS384",
      "ES256",
      "ES384",
      "ES256K",
      "EdDSA",
      "Ed448",
      "es256",
      "RSA1_5",
    ];
    const foreigners = others.filter((name) => name !== alg);
    return [...foreigners, undefined, null, 7, [alg], `${alg} `].map((name) =>
      token(alg, {}, { alg: name }),
    );
  },
  "[K01] a signature that is not right": (alg) => [
    ...[0, 7, 31, 40, 63].map((at) =>
      withSignature(alg, (signature) => {
        signature[at] = (signature[at] ?? 0) ^ 1;
        return signature;
      }),
    ),
    withSignature(alg, (signature) => signature.subarray(1)),
    withSignature(alg, (signature) => signature.subarray(0, -1)),
    withSignature(alg, (signature) => Buffer.concat([signature, Buffer.alloc(1)])),
    withSignature(alg, (signature) => Buffer.concat([Buffer.alloc(1), signature])),
    withSignature(alg, (signature) => Buffer.concat([signature, signature])),
    withSignature(alg, (signature) => Buffer.alloc(signature.length)),
    withSignature(alg, (signature) => Buffer.alloc(signature.length, 0xff)),
    withSignature(alg, () => new Uint8Array(1)),
    withSignature(alg, () => Buffer.from("3006020101020101", "hex")),
    withSignature(alg, () =>
      sign(algorithms[alg].digest, Buffer.from("x"), algorithms[alg].privateKey),
    ),
  ],
  "[K01] the signature of another token": (alg) => [
    spoiled(alg, ([header, payload]) => [
      header,
      payload,
      token(alg, { jti: "1" }).split(".")[2] ?? "",
    ]),
    spoiled(alg, ([header, , signature]) => [header, encode(claims({ sub: "admin" })), signature]),
    spoiled(alg, ([, payload, signature]) => [encode(headerOf(alg, { x: 1 })), payload, signature]),
    spoiled(alg, ([header, payload, signature]) => [header, payload, payload, signature]),
  ],
  "[K02] for somebody else": (alg) =>
    [
      undefined,
      null,
      "",
      "https://api.example.com/",
      "https://API.example.com",
      "api",
      [],
      ["x"],
      { 0: audience },
      [[audience]],
      [audience, 7],
      `x ${audience}`,
    ].map((aud) => token(alg, { aud })),
  "[K03] by somebody else": (alg) =>
    [
      undefined,
      null,
      "",
      [issuer],
      `${issuer}/`,
      `${issuer}.evil.test`,
      "https://id.example",
      "HTTPS://ID.EXAMPLE.COM",
      "http://id.example.com",
      7,
      { issuer },
    ].map((iss) => token(alg, { iss })),
  "[K05] an ID token, a logout token, a refresh token": (alg) => [
    ...["JWT", undefined].flatMap((typ) =>
      [
        { nonce: "n" },
        { at_hash: "h" },
        { c_hash: "h" },
        { s_hash: "h" },
        { typ: "ID" },
        { token_use: "id" },
        { typ: "Refresh" },
        { typ: "Offline" },
        { events: { "http://schemas.openid.net/event/backchannel-logout": {} } },
        { scope: undefined, client_id: undefined },
      ].map((more) => token(alg, more, { typ })),
    ),
    ...[
      "logout+jwt",
      "id+jwt",
      "dpop+jwt",
      "secevent+jwt",
      "entity-statement+jwt",
      "token-introspection+jwt",
      "",
      "at",
      7,
      null,
      ["at+jwt"],
    ].map((typ) => token(alg, {}, { typ })),
  ],
  "[K06] at another time": (alg) => [
    ...[
      undefined,
      null,
      "9999999999",
      "",
      [9e9],
      {},
      true,
      0,
      -1,
      now - 60,
      now - 3600,
      8.65e12,
      1e300,
    ].map((exp) => token(alg, { exp })),
    signed(alg, headerOf(alg), json(claims()).replace(/"exp":\d+/, '"exp":1e400')),
    ...[null, "1", now + 61, now + 4000, -1, 9e12, [now]].flatMap((at) => [
      token(alg, { nbf: at }),
      token(alg, { iat: at }),
    ]),
  ],
  "[K07] what the header brings along": (alg) => {
    const jwk = foreign.publicKey.export({ format: "jwk" });
    const header = { alg: "ES256", kid: "ES256", typ: "at+jwt" };
    const planted = [
      { jwk },
      { jku: "https://evil.test/keys" },
      { x5u: "https://evil.test/x" },
      { x5c: ["AA"] },
      { kid: "unknown", jwk },
      { kid: "../../etc/passwd" },
      { kid: "' OR 1=1" },
    ];
    const forged = planted.map((more) => {
      const text = `${encode({ ...header, ...more })}.${encode(claims())}`;
      const signature = sign("sha256", Buffer.from(text), {
        key: foreign.privateKey,
        dsaEncoding: "ieee-p1363",
      });
      return `${text}.${signature.toString("base64url")}`;
    });
    const critical = [["exp"], [], null, "exp", ["b64"], ["http://x"], {}].map((crit) =>
      token(alg, {}, { crit }),
    );
    return [
      ...forged,
      ...critical,
      token(alg, {}, { b64: false }),
      token(alg, {}, { b64: null }),
      token(alg, {}, { kid: "other" }),
    ];
  },
  "[K07] another spelling of the same": (alg) => {
    const good = token(alg);
    const [header = "", payload = "", signature = ""] = good.split(".");
    // Claims whose Base64 has characters of the other alphabet, and bits that are left over.
    const odd = encode(claims({ x: "~~~???~~~" }));
    const others = [
      odd.replaceAll("-", "+").replaceAll("_", "/"),
      `${odd}=`,
      `${odd}==`,
      `${odd.slice(0, 8)}\n${odd.slice(8)}`,
      `${odd} `,
      `${odd}A`,
    ];
    return [
      ...others.filter((text) => text !== odd).map((text) => signedText(alg, header, text)),
      ...[
        `${header}=`,
        `${header}A`,
        `\n${header}`,
        Buffer.from(json(headerOf(alg))).toString("base64"),
      ]
        .filter((text) => text !== header)
        .map((text) => signedText(alg, text, payload)),
      ...["=", "==", " ", "\n", "\0", "A", ".", ".AA", "%3D", "!"].map((end) => `${good}${end}`),
      ...[" ", "\n", "Bearer ", ".", "\u{feff}"].map((start) => `${start}${good}`),
      `${header}.${payload}.${signature.slice(0, 9)}${String.fromCharCode(0x100 + (signature.codePointAt(9) ?? 0))}${signature.slice(10)}`,
      `${header}${payload}.${signature}`,
      good.replaceAll(".", ".."),
      good.toLowerCase(),
      encodeURIComponent(json({ protected: header, payload, signature })),
    ];
  },
  "[K07] claims and headers that are read in two ways": (alg) => {
    const body = json(claims());
    const header = json(headerOf(alg));
    return [
      ...[
        `${body.slice(0, -1)},"sub":"admin"}`,
        `{"sub":"admin",${body.slice(1)}`,
        `${body.slice(0, -1)},"\\u0073ub":"admin"}`,
        `${body.slice(0, -1)} , "aud" : "x" }`,
      ].map((text) => signed(alg, header, text)),
      ...[`{"alg":"none",${header.slice(1)}`, `${header.slice(0, -1)},"kid":"x"}`].map((text) =>
        signed(alg, text, body),
      ),
      ...[
        "[]",
        "null",
        "7",
        '""',
        "",
        body.slice(0, -1),
        `${body}${body}`,
        `[${body}]`,
        `${body}x`,
        `'${body}'`,
      ].map((text) => signed(alg, header, text)),
      signed(
        alg,
        header,
        Buffer.concat([
          Buffer.from(body.slice(0, -1)),
          Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
        ]),
      ),
      signed(alg, header, `${body.slice(0, -1)},"x":${"[".repeat(5000)}${"]".repeat(5000)}}`),
      signed(alg, header, Buffer.from(body, "utf16le")),
    ];
  },
  "[K16] nothing, and too much": (alg) => [
    "",
    " ",
    ".",
    "..",
    "a.b.c",
    "null",
    "undefined",
    "{}",
    ".".repeat(50_000),
    token(alg, { pad: "x".repeat(64 * 1024) }),
    `${token(alg)}${"A".repeat(64 * 1024)}`,
  ],
  "[K20] of nobody": (alg) =>
    [undefined, null, "", 7, ["alice"], {}, true, "a".repeat(256)].map((sub) =>
      token(alg, { sub }),
    ),
};

const good: Readonly<Record<string, Kind>> = {
  "as usual": (alg) => [token(alg)],
  "with a type in another case": (alg) =>
    ["AT+JWT", "application/at+jwt"].map((typ) => token(alg, {}, { typ })),
  "of a provider without RFC 9068": (alg) =>
    ["JWT", undefined].flatMap((typ) =>
      [
        {},
        { scope: undefined },
        { client_id: undefined, scope: undefined, cid: "cli" },
        { scope: undefined, client_id: undefined, scp: ["read"] },
        { scope: undefined, client_id: undefined, token_use: "access" },
        { scope: undefined, client_id: undefined, typ: "Bearer" },
      ].map((more) => token(alg, more, { typ })),
    ),
  "with several audiences": (alg) =>
    [["x", audience], [audience]].map((aud) => token(alg, { aud })),
  "at the edge of time": (alg) =>
    [
      { exp: now - 59 },
      { nbf: now + 60 },
      { iat: now + 60 },
      { iat: undefined },
      { exp: now + 0.5 },
    ].map((more) => token(alg, more)),
  "with headers that are not heeded": (alg) => [
    token(alg, {}, { jku: "https://evil.test", x5t: "x", jwk: {} }),
    token(alg, {}, { kid: undefined }),
    token(alg, {}, { b64: true }),
  ],
  "with odd claims, written in odd ways": (alg) => [
    token(alg, {
      name: 'Zoë \u{1f511} \\ "',
      "https://example.com/x": { a: [{ b: 1 }, { b: 2 }] },
    }),
    signed(alg, headerOf(alg), JSON.stringify(claims(), undefined, 2)),
    signed(alg, headerOf(alg), `{"a":":","b":["\\":"],"c" : {"a":1},${json(claims()).slice(1)}`),
    token(alg, { nonce: "n" }),
    token(alg, { pad: "x".repeat(40_000) }),
  ],
};

function tokensOf(kinds: Readonly<Record<string, Kind>>, kind: string): readonly string[] {
  return names.flatMap((alg) => kinds[kind]?.(alg) ?? []);
}

const played = playVerifier(published);

test.each(Object.keys(hostile))("%s", async (kind) => {
  const tokens = tokensOf(hostile, kind);
  const outcomes = await Promise.all(tokens.map((each) => outcomeOf(played, each)));
  const accepted = tokens.filter(
    (_token, index) => outcomes[index]?.startsWith("refused: ") !== true,
  );
  expect(accepted).toEqual([]);
});

test("there are as many as nobody writes by hand, and to refuse them asked the issuer three times at most", () => {
  const all = Object.keys(hostile).flatMap((kind) => tokensOf(hostile, kind));
  expect(all.length).toBeGreaterThan(598);
  expect(played.requests()).toBeLessThanOrEqual(3);
});

describe("none of the good ones is refused", () => {
  test.each(Object.keys(good))("%s", async (kind) => {
    for (const each of tokensOf(good, kind)) expect(await outcomeOf(played, each)).toBe("alice");
  });
});
