// Everything the command line says, captured at two widths, so that it can be read and changed as a whole.

import { afterAll, beforeAll, expect, test } from "vitest";
import { errorCodes } from "../../core/error-table.ts";
import { OidcError } from "../../core/errors.ts";
import type { OptionName } from "../../core/option-names.ts";
import { option, run, say, signInAnew, type Wording } from "../../core/wording.ts";
import type { SessionRecord } from "../../record/format.ts";
import { optionTable } from "../../options/table.ts";
import { printableJson } from "../token-text.ts";
import { layOut } from "../../interaction/layout.ts";
import { knownFlags } from "../arguments.ts";
import { errorParagraph, faultParagraph } from "./errors.ts";
import { identityText } from "./identity.ts";
import { statusText, type ListedSignIn } from "./status.ts";
import {
  allLoggedOutText,
  loggedOutText,
  logoutPagesText,
  nothingCached,
  replacedText,
  signedInText,
  stopped,
} from "./texts.ts";
import { clockTime, span } from "./time.ts";

const zone = process.env["TZ"];
beforeAll(() => {
  process.env["TZ"] = "UTC";
});
afterAll(() => {
  if (zone === undefined) delete process.env["TZ"];
  else process.env["TZ"] = zone;
});

const now = new Date("2026-11-23T15:00:00Z");
const inSeconds = (seconds: number): number => Math.floor(now.getTime() / 1000) + seconds;

function record(changes: Partial<SessionRecord> = {}): SessionRecord {
  return {
    key: "key",
    version: "a.1",
    issuer: "https://id.example.com",
    clientId: "my-cli",
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: {
      token: "hunter2-access-token",
      tokenType: "Bearer",
      scopes: ["openid", "email"],
      issuedAt: inSeconds(-60),
      expiresAt: inSeconds(2520),
    },
    refreshToken: "hunter2-refresh-token",
    idToken: "hunter2-id-token",
    subject: "248289761001",
    displayName: "alice@example.com",
    signedInAt: 1,
    renewedAt: 1,
    ...changes,
  };
}

function withoutRefreshToken(changes: Partial<SessionRecord> = {}): SessionRecord {
  const { refreshToken: _none, ...rest } = record(changes);
  return rest;
}

function withoutPerson(): SessionRecord {
  const { subject: _none, displayName: _nobody, ...rest } = withoutRefreshToken();
  return { ...rest, signedInAt: 0, accessToken: null };
}

function expiring(seconds: number | null): SessionRecord["accessToken"] {
  return {
    token: "hunter2-access-token",
    tokenType: "Bearer",
    scopes: ["openid"],
    issuedAt: inSeconds(-7200),
    expiresAt: seconds === null ? null : inSeconds(seconds),
  };
}

const records: readonly SessionRecord[] = [
  record(),
  withoutRefreshToken({ issuer: "https://id.example.com:8443/realms/a", clientId: "other" }),
  withoutRefreshToken({ accessToken: expiring(-300), subject: "alice", displayName: "alice" }),
  withoutRefreshToken({ accessToken: expiring(null) }),
  record({ accessToken: null, server: { address: "grpcs://data.example.com:443" } }),
  record({ accessToken: expiring(40 * 24 * 3600) }),
];

/** Those above, one that is being renewed, and a first sign-in that is under way. */
const listed: readonly ListedSignIn[] = [
  ...records.map((each) => ({ record: each, holder: undefined })),
  {
    record: record(),
    holder: { processId: 4711, phase: "refresh", since: now.getTime() - 2000 },
  },
  {
    record: withoutPerson(),
    holder: { processId: 4712, phase: "login", since: now.getTime() - 95_000 },
  },
];

const texts: Readonly<Record<string, (columns: number) => string>> = {
  status: (columns) => statusText(listed, now, columns),
  whoami: (columns) =>
    identityText(
      {
        iss: "https://id.example.com",
        sub: "248289761001",
        aud: "my-cli",
        name: "Alice Example",
        preferred_username: "alice",
        email: "alice@example.com",
      },
      columns,
    ),
  sentences: (columns) =>
    layOut(
      [
        signedInText(record(), { now, offlineAccess: false }),
        signedInText(withoutRefreshToken(), { now, offlineAccess: false }),
        signedInText(withoutRefreshToken({ accessToken: expiring(2 * 24 * 3600) }), {
          now,
          offlineAccess: false,
        }),
        signedInText(
          withoutRefreshToken({ accessToken: expiring(null), displayName: "", subject: "" }),
          { now, offlineAccess: false },
        ),
        signedInText(withoutRefreshToken(), { now, offlineAccess: true }),
        replacedText(record({ subject: "1", displayName: "Bob" }), record()) ?? "",
        nothingCached,
        loggedOutText(undefined, { forgotten: 0, revoked: "no" }, now),
        loggedOutText(record(), { forgotten: 1, revoked: "no" }, now),
        loggedOutText(record(), { forgotten: 1, revoked: "yes" }, now),
        loggedOutText(record(), { forgotten: 1, revoked: "unsupported" }, now),
        loggedOutText(record(), { forgotten: 1, revoked: "failed" }, now),
        loggedOutText(
          record(),
          { forgotten: 1, revoked: "yes", accessTokenStays: { until: undefined } },
          now,
        ),
        logoutPagesText(["https://id.example.com/logout?client_id=my-cli"], false),
        logoutPagesText(["https://id.example.com/logout?client_id=my-cli"], true),
        logoutPagesText(["https://a.example/logout", "https://b.example/logout"], false),
        allLoggedOutText({ forgotten: 0, unsupported: [], failed: [] }),
        allLoggedOutText({ forgotten: 1, unsupported: [], failed: [] }),
        allLoggedOutText({
          forgotten: 3,
          unsupported: ["a.example"],
          failed: ["b.example", "c.example"],
        }),
        stopped,
      ].join("\n\n"),
      columns,
    ),
  errors: (columns) =>
    layOut(
      [
        errorParagraph(
          new OidcError(
            "callback_port_in_use",
            "Port 8765 on 127.0.0.1 is taken by another program, so the browser could not come back.",
            { remedy: say`Free it, or register and set another: ${option("callbackPort", 8766)}.` },
          ),
          [],
        ),
        errorParagraph(
          new OidcError(
            "login_required",
            "No valid sign-in for id.example.com, and prompting is off.",
            { reason: "no_token", remedy: [signInAnew] },
          ),
          ["--profile=data"],
        ),
        errorParagraph(
          new OidcError(
            "token_request_failed",
            "id.example.com:443 does not know client “data-cli”, or wants a secret for it (token request: invalid_client).",
            {
              providerError: "invalid_client",
              remedy: say`Check ${option("clientId")}; for a confidential client set ${option("clientSecret")}.`,
            },
          ),
          [],
        ),
        faultParagraph(undefined),
      ].join("\n\n"),
      columns,
    ),
};

const captures = Object.keys(texts).flatMap((name) =>
  [80, 40].map((columns) => ({ name, columns })),
);

test.each(captures)("says what it said: $name at $columns columns", async ({ name, columns }) => {
  const text = texts[name]?.(columns) ?? "";
  expect(text).not.toContain("hunter2");
  await expect(`${text}\n`).toMatchFileSnapshot(`../__captures__/${name}-${String(columns)}.txt`);
});

test("an error on a terminal is broken between words, and what is to be typed not at all [F-U11]", () => {
  const error = new OidcError(
    "login_required",
    "No valid sign-in for id.example.com, and prompting is off.",
    { reason: "no_token", remedy: [signInAnew] },
  );
  const text = errorParagraph(error, ["--issuer=https://id.example.com", "--client-id=my-cli"]);
  const command = "latchkey login --issuer https://id.example.com --client-id my-cli";
  for (const columns of [20, 40, 80, 200]) {
    const lines = layOut(text, columns).split("\n");
    expect(lines.join(" ")).toBe(text);
    expect(lines.some((line) => line.includes(command))).toBe(true);
    const prose = lines.filter((line) => !line.includes(command) && line.includes(" "));
    expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(
      Math.max(columns, "[login_required: no_token]".length),
    );
  }
  expect(layOut(text, undefined)).toBe(text);
});

test("an option is said as its flag, where one leads to it, and as what to set there", () => {
  const shown = (...remedy: Wording): string =>
    errorParagraph(new OidcError("invalid_option", "Wrong.", { remedy }), []);
  for (const { name, text } of optionTable) {
    if (text !== "all" && text !== "flag") continue;
    const flag = /^Wrong\. (--[a-z-]+) \[invalid_option\]$/.exec(shown(option(name as OptionName)));
    expect(knownFlags()).toContain(flag?.[1]);
  }
  expect(shown(option("openBrowser", "false"))).toContain("--no-open-browser");
  expect(shown(option("pkce", "true"))).toContain("--pkce");
  expect(shown(option("callbackPort", 0))).toContain("--callback-port 0");
  expect(shown(option("clientSecret"))).toContain(
    "LATCHKEY_CLIENT_SECRET (or --client-secret-file)",
  );
  expect(shown(option("store"), " ", run("chmod 600 /x"))).toContain("`store` chmod 600 /x");
});

test("every error code ends its paragraph", () => {
  for (const code of errorCodes) {
    expect(errorParagraph(new OidcError(code, "So it is."), [])).toBe(`So it is. [${code}]`);
  }
});

test("the command to run can be copied into a shell as it stands", () => {
  const error = new OidcError("login_required", "None.", {
    reason: "no_token",
    remedy: [signInAnew],
  });
  expect(
    errorParagraph(error, [
      "--scopes=a b",
      "--login-hint=o'neil",
      "--issuer=https://a.example",
      "--client-id=-x",
      "--no-pkce",
    ]),
  ).toBe(
    String.raw`None. Run: latchkey login --scopes 'a b' --login-hint 'o'\''neil' --issuer https://a.example --client-id=-x --no-pkce [login_required: no_token]`,
  );
});

const hostile =
  "a\u001b[31mb\u009b2Jc\u202ed\r\ne\u001b]8;;https://evil.example\u0007f\u0000g\u2028h\u200bi";
const steering =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029\u200b-\u200f]/u;

test("nothing that steers a terminal comes through, from any field [O06]", () => {
  const shown = [
    errorParagraph(new OidcError("network", hostile, { reason: hostile as never }), [
      `--login-hint=${hostile}`,
    ]),
    errorParagraph(new OidcError("login_required", "None.", { remedy: [signInAnew] }), [
      `--login-hint=${hostile}`,
    ]),
    faultParagraph(
      Object.assign(new Error(hostile), { name: hostile, stack: `${hostile}\n    at ${hostile}` }),
    ),
    signedInText(record({ displayName: hostile, issuer: hostile }), { now, offlineAccess: false }),
    loggedOutText(
      record({ displayName: hostile, issuer: hostile }),
      {
        forgotten: 1,
        revoked: "no",
      },
      now,
    ),
    allLoggedOutText({ forgotten: 1, unsupported: [], failed: ["host"] }),
    statusText(
      [
        {
          record: record({
            issuer: hostile,
            clientId: hostile,
            subject: hostile,
            displayName: `${hostile}x`,
            accessToken: {
              token: "t",
              tokenType: "Bearer",
              scopes: [hostile],
              issuedAt: 0,
              expiresAt: null,
            },
          }),
          holder: undefined,
        },
      ],
      now,
      80,
    ),
    identityText(
      { name: hostile, sub: hostile, iss: hostile, email: hostile, preferred_username: hostile },
      80,
    ),
    printableJson({ [hostile]: [hostile] }),
  ];
  for (const text of shown) expect(text).not.toMatch(steering);
  expect(shown[0]).not.toContain("\n");
  expect(JSON.parse(printableJson({ [hostile]: [hostile] }))).toEqual({ [hostile]: [hostile] });
});

test("a fault of Latchkey itself is told without its message, which nobody has checked [O03]", () => {
  const paragraph = faultParagraph(new TypeError("token hunter2 is wrong"));
  expect(paragraph).toContain("(TypeError)");
  expect(paragraph).toContain("[internal_error]");
  expect(paragraph).not.toContain("hunter2");
  expect(faultParagraph(new TypeError("hunter2\n    at hunter2"))).not.toMatch(/is wrong/);
});

test("instants and spans are said in the shortest form that is still clear", () => {
  const at = (text: string): string => clockTime(new Date(text), now);
  expect([
    at("2026-11-23T23:59:00Z"),
    at("2026-11-24T00:01:00Z"),
    at("2027-01-02T00:00:00Z"),
  ]).toEqual(["23:59", "24 Nov 00:01", "2 Jan 2027"]);
  expect(
    [0, 59_999, 60_000, 3_599_999, 3_600_000, 47 * 3_600_000, 48 * 3_600_000, -90_000].map(span),
  ).toEqual(["0 s", "59 s", "1 min", "59 min", "1 h", "47 h", "2 days", "1 min"]);
});

test("a program without open files left is no fault of Latchkey's [F-T12]", () => {
  for (const code of ["EMFILE", "ENFILE"]) {
    const said = faultParagraph(Object.assign(new Error(`${code}: too many open files`), { code }));
    expect(said).toContain("ulimit -n");
    expect(said).not.toContain("fault in Latchkey");
  }
});

test("logout says of a renewal under way what it knows [F-S18]", () => {
  const intent = { nonce: "n", host: "h", at: now.getTime() };
  const said = (revoked: "yes" | "no"): string =>
    loggedOutText(record({ intent }), { forgotten: 1, revoked }, now);
  expect(said("yes")).toContain("A renewal may have been under way");
  expect(said("no")).not.toContain("renewal");
});
