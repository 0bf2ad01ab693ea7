// The reader of profiles of the warm command may know less than the full one, but never anything else.

import { expect, test } from "vitest";
import { resolveOptions } from "../../options/resolve.ts";
import { readProfile } from "../profile.ts";
import { warmProfile } from "./profile.ts";
import { meaningOf, pick, refusedOr, sequence } from "./testing.ts";
import { createHome } from "../testing.ts";

const tomlLines = [
  "[profile.work]",
  "[profile.other]",
  "[profile.a.b]",
  "[profile]",
  "[other]",
  '[server."git.example.com"]',
  '[server."[::1]:8443"]',
  "[server.git]",
  '[server."a b"]',
  'profile = "work"',
  '[profile."work"]',
  "[[profile.work]]",
  "",
  "# a comment",
  "# rings\u0007",
  "# ends with a carriage return\r",
  'client-id = "ä"',
  'client-id = "a\u007fb"',
  "\ufeff",
  'issuer = "https://id.example.com"',
  "issuer = 'https://id.example.com' # why",
  'issuer = """https://id.example.com"""',
  'client-id = "a\\tb"',
  'client-id = "x"',
  "client-id = 5",
  "client-id = true",
  'clientId = "x"',
  'client-secret = "x"',
  'client-secret-file = "-"',
  'client-secret-file = "/x"',
  'client-secret-file = "x"',
  "allow-insecure-http = true",
  'scopes = ["openid", "email"]',
  'scopes = ["openid email"]',
  'scopes = ["openid",]',
  "scopes = []",
  'scopes = "openid email"',
  'acr-values = "urn:example:silver"',
  'acr-values = ["a"]',
  'resource = "https://api.example.com"',
  "max-age = 0",
  "scopes = [",
  "]",
  "callback-port = 0",
  "callback-port = 08",
  "callback-port = 8_765",
  "callback-port = [1, 2]",
  'callback-port = "8765"',
  "http-timeout-seconds = 5",
  "http-timeout-seconds = 5.5",
  "http-timeout-seconds = 0",
  "pkce = false",
  'pkce = "false"',
  "pkce = 0",
  "  open-browser  =  true",
  'cache-path = "~/x"',
  'cache-path = "x"',
  "audience = '''",
  "'''",
  'audience = "'.concat('"'),
  'profile.work.audience = "x"',
  "x",
  'flow = "device"',
  'flow = "other"',
  'grant-type = "client_credentials"',
  'grant-type = "password"',
  "grant-type = ''",
];

test("a profile that is taken quickly is the one that is read", () => {
  const home = createHome();
  const machine = {
    environment: {},
    platform: "linux",
    homeDirectory: home.path,
    workingDirectory: home.path,
  } as const;
  const next = sequence(2);
  let taken = 0;
  try {
    for (let round = 0; round < 1500; round += 1) {
      const lines = next(4) > 0 ? ["[profile.work]"] : [];
      for (let count = next(6); count > 0; count -= 1) lines.push(pick(tomlLines, next));
      const file = `${lines.join("\n")}\n`;
      const quick = warmProfile("work", file);
      if (quick === undefined) continue;
      taken += 1;
      home.configure(file);
      const full = refusedOr(() => {
        const { options, grantType } = readProfile("work", machine);
        expect([file, grantType]).toEqual([file, quick["grant-type"]]);
        const resolved = resolveOptions(options, "interactive") as unknown as Record<
          string,
          unknown
        >;
        return Object.fromEntries(Object.keys(options).map((name) => [name, resolved[name]]));
      });
      expect([file, full]).toEqual([file, meaningOf(quick)]);
    }
  } finally {
    home.remove();
  }
  expect(taken).toBeGreaterThan(125);
});

test("a usual configuration file is taken quickly", () => {
  const file = [
    "# Sign-ins",
    "",
    "[profile.work]",
    'issuer = "https://id.example.com"   # the company\'s',
    "client-id = 'my-cli'",
    'scopes = ["openid", "email"]',
    "callback-port = 0",
    "open-browser = false",
    'client-secret-file = "~/.secrets/my-cli"',
    "",
    "[profile.other]",
    'issuer = "https://other.example.com"',
    "",
    '[server."git.example.com:8443"]',
    'profile = "work"',
    "",
    '[server."registry.example.com"]',
    'profile = "other"',
    'username = "oauth2"',
    "",
  ].join("\n");
  expect(warmProfile("work", file)).toEqual({
    issuer: "https://id.example.com",
    "client-id": "my-cli",
    scopes: "openid email",
    "callback-port": "0",
    "open-browser": "false",
    "client-secret-file": "~/.secrets/my-cli",
  });
  expect(warmProfile("absent", file)).toBeUndefined();
});
