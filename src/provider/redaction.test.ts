// Changes with the forms in which a secret is sent or comes back.
import { expect, test } from "vitest";
import { basicCredentials } from "./client-authentication.ts";
import { withoutSecrets } from "./redaction.ts";

const secret = `p"a/s s+w%ö&r=d'(!)*~`;
const form = new URLSearchParams({ client_secret: secret }).toString();
const encoded = encodeURIComponent(secret);

test.each([
  ["as it is", secret],
  ["percent-encoded", encoded],
  ["percent-encoded, in lower case", encoded.replaceAll(/%../g, (byte) => byte.toLowerCase())],
  ["as the form has it", form.slice("client_secret=".length)],
  ["as JSON has it", JSON.stringify(secret).slice(1, -1)],
  [
    "as JSON with escaped slashes has it",
    JSON.stringify(secret)
      .slice(1, -1)
      .replace("/", String.raw`\/`),
  ],
])("a secret that comes back %s is taken out [F-S9] [O04]", (_name, repeated) => {
  expect(withoutSecrets(`got client_secret=${repeated} here`, [secret])).toBe(
    "got client_secret=[redacted] here",
  );
});

test("the credentials of Basic are taken out, as sent and percent-encoded [F-S9]", () => {
  const credentials = basicCredentials("client", secret);
  for (const repeated of [credentials, encodeURIComponent(credentials)]) {
    expect(withoutSecrets(`Basic ${repeated} is wrong`, [credentials])).toBe(
      "Basic [redacted] is wrong",
    );
  }
});

test("a whole form body that is repeated shows nothing of a secret [F-S9]", () => {
  const body = new URLSearchParams({
    grant_type: "refresh_token",
    refresh_token: secret,
  }).toString();
  expect(withoutSecrets(body, [secret])).toBe("grant_type=refresh_token&refresh_token=[redacted]");
});

test("a refresh token longer than any message leaves no beginning of itself [F-S9]", () => {
  const long = Array.from({ length: 6000 }, (_, index) => index.toString(36)).join("");
  expect(long.length).toBeGreaterThan(4096);
  expect(withoutSecrets(`Invalid token ${long} given`, [long])).toBe(
    "Invalid token [redacted] given",
  );
  // The provider itself has cut it, or ends it with dots.
  for (const cut of [long.slice(0, 40), `${long.slice(0, 40)}…`, `${long.slice(0, 40)}...`]) {
    expect(withoutSecrets(`Invalid token ${cut}`, [long])).toBe("Invalid token [redacted]");
  }
});

test("a form that begins like another one leaves no tail", () => {
  const tailed = "abcdefghijklmnopqrst/uvwxyz";
  expect(withoutSecrets(`x ${encodeURIComponent(tailed)} y`, [tailed])).toBe("x [redacted] y");
});

test("several secrets, each as often as it stands there; short ones are left", () => {
  expect(withoutSecrets("one two one abc", ["one-", "abc", undefined, "two ", ""])).toBe(
    "one [redacted]one abc",
  );
});

test("half a character in a secret is no fault", () => {
  expect(withoutSecrets("x secret\ud800 y", ["secret\ud800"])).toBe("x [redacted] y");
});
