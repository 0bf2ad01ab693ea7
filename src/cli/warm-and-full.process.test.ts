// One table of configurations through the warm command and the full program: both say the same.

import { chmodSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { recordKey } from "../record/key.ts";
import {
  buildCommandLine,
  createHome,
  run,
  unsignedIdToken,
  type BuiltCommandLine,
  type Home,
} from "./testing.ts";

let built: BuiltCommandLine;
let home: Home;
beforeAll(async () => {
  built = await buildCommandLine();
});
afterAll(() => built.remove());
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

const issuer = "https://id.example.com";
const configuration = { issuer, clientId: "my-cli" };
const flags = [`--issuer=${issuer}`, "--client-id=my-cli"];
const seconds = (): number => Math.floor(Date.now() / 1000);

interface Case {
  readonly name: string;
  readonly prepare: () => void;
  readonly typed?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly output: RegExp;
}

const idToken = unsignedIdToken({
  iss: issuer,
  sub: "1",
  aud: "my-cli",
  iat: seconds() - 60,
  exp: seconds() + 3600,
});

const hits: readonly Case[] = [
  {
    name: "flags",
    prepare: () => home.remember(configuration),
    typed: flags,
    output: /^cached-access-token\n$/,
  },
  {
    name: "flags apart from their values",
    prepare: () => home.remember(configuration),
    typed: ["--issuer", issuer, "--client-id", "my-cli"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "environment",
    prepare: () => home.remember({ ...configuration, scopes: ["b", "a"] }),
    environment: { LATCHKEY_ISSUER: issuer, LATCHKEY_CLIENT_ID: "my-cli", LATCHKEY_SCOPES: "a b" },
    output: /^cached-access-token\n$/,
  },
  {
    name: "profile",
    prepare: () => {
      home.configure(
        `[profile.work]\nissuer = "${issuer}"\nclient-id = "my-cli"\naudience = 'api'\n`,
      );
      home.remember({ ...configuration, audience: "api" });
    },
    typed: ["--profile", "work"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "a profile with the default scopes written out, signed in to by flags [F-U3]",
    prepare: () => {
      home.configure(
        `[profile.work]\nissuer = "${issuer}"\nclient-id = "my-cli"\nscopes = ["openid", "profile", "email"]\n`,
      );
      home.remember(configuration);
    },
    typed: ["--profile", "work"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "[profile.default] where nothing is named [F-U4]",
    prepare: () => {
      home.configure(`[profile.default]\nissuer = "${issuer}"\nclient-id = "my-cli"\n`);
      home.remember(configuration);
    },
    output: /^cached-access-token\n$/,
  },
  {
    name: "a client's own token, by its profile [F-U1]",
    prepare: () => {
      home.configure(
        `[profile.job]\nissuer = "${issuer}"\nclient-id = "my-cli"\ngrant-type = "client_credentials"\n`,
      );
      const key = recordKey({ kind: "client", options: configuration });
      home.remember(configuration, { key });
    },
    typed: ["--profile", "job", "--format", "bearer"],
    output: /^Bearer cached-access-token\n$/,
  },
  {
    name: "profile that takes a whole TOML parser",
    prepare: () => {
      home.configure(`profile.work = { issuer = "${issuer}", client-id = """my-cli""" }\n`);
      home.remember(configuration);
    },
    environment: { LATCHKEY_PROFILE: "work" },
    output: /^cached-access-token\n$/,
  },
  {
    name: "a flag over the environment over the profile",
    prepare: () => {
      home.configure(
        '[profile.work]\nissuer = "https://other.example"\nclient-id = "other"\naudience = "api"\n',
      );
      home.remember({ ...configuration, audience: "api" });
    },
    typed: ["--profile=work", "--client-id=my-cli"],
    environment: { LATCHKEY_ISSUER: issuer, LATCHKEY_CLIENT_ID: "from-environment" },
    output: /^cached-access-token\n$/,
  },
  {
    name: "every option of the key",
    prepare: () =>
      home.remember({
        ...configuration,
        scopes: ["a"],
        audience: "api",
        tokenEndpoint: "https://id.example.com/t",
        loginHint: "alice",
        resource: "https://api.example.com/",
        acrValues: ["urn:example:silver"],
      }),
    typed: [
      ...flags,
      "--scopes=a",
      "--audience=api",
      "--token-endpoint=https://id.example.com/t",
      "--login-hint=alice",
      "--resource=https://api.example.com/",
      "--acr-values=urn:example:silver",
      "--max-age=0",
    ],
    output: /^cached-access-token\n$/,
  },
  {
    name: "options that are not of the key",
    prepare: () => home.remember(configuration),
    typed: [
      ...flags,
      "--callback-port",
      "1 2",
      "--no-open-browser",
      "--flow=device",
      "--no-pkce",
      "--no-interactive",
    ],
    output: /^cached-access-token\n$/,
  },
  {
    name: "--header",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--header"],
    output: /^Authorization: Bearer cached-access-token\n$/,
  },
  {
    name: "--json",
    prepare: () => home.remember(configuration, { idToken }),
    typed: [...flags, "--json"],
    output:
      /^\{\n {2}"token": "cached-access-token",\n {2}"tokenType": "Bearer",\n {2}"expiresAt": "[-\dT:.]+Z",\n {2}"scopes": \[\n {4}"openid",\n {4}"email"\n {2}\],\n {2}"idToken": "[\w.-]+",\n {2}"source": "cache"\n\}\n$/,
  },
  {
    name: "--json without an ID token and a known expiry",
    prepare: () =>
      home.remember(configuration, {
        accessToken: {
          token: "t",
          tokenType: "Bearer",
          scopes: [],
          issuedAt: seconds(),
          expiresAt: null,
        },
      }),
    typed: [...flags, "--json"],
    output: /"expiresAt": null,[^]*"idToken": null/,
  },
  {
    name: "--id-token",
    prepare: () => home.remember(configuration, { idToken }),
    typed: [...flags, "--id-token"],
    output: /^[\w-]+\.[\w-]+\.[\w-]+\n$/,
  },
  {
    name: "--id-token --json",
    prepare: () => home.remember(configuration, { idToken }),
    typed: [...flags, "--id-token", "--json"],
    output: /"token": "ey/,
  },
  {
    name: "--min-validity-seconds that is reached",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--min-validity-seconds=3000"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "--cache-path",
    prepare: () => {
      const file = home.remember(configuration);
      renameSync(file, join(home.cacheFolder, "mine.json"));
    },
    typed: [...flags, "--cache-path", "~/.local/state/latchkey/mine.json"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "a client secret that is not needed",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--client-secret-file=/nowhere"],
    output: /^cached-access-token\n$/,
  },
  {
    name: "a client secret in the environment",
    prepare: () => home.remember(configuration),
    typed: flags,
    environment: { LATCHKEY_CLIENT_SECRET: "s3cret" },
    output: /^cached-access-token\n$/,
  },
];

test.each(hits)(
  "both print the same: $name",
  async ({ prepare, typed = [], environment = {}, output }) => {
    prepare();
    const argumentList = ["token", ...typed];
    const warm = await run(built.warm, argumentList, { home, environment });
    const full = await run(built.full, argumentList, { home, environment });
    expect(warm).toEqual(full);
    expect(warm).toMatchObject({ status: 0, stderr: "" });
    expect(warm.stdout).toMatch(output);
  },
);

const handedOver: readonly (Omit<Case, "output"> & {
  readonly says: RegExp;
  readonly status: number;
})[] = [
  {
    name: "nothing cached",
    prepare: () => undefined,
    typed: [...flags, "--no-interactive"],
    says: /\[login_required: no_token\]/,
    status: 3,
  },
  {
    name: "an expired token",
    prepare: () =>
      home.remember(configuration, {
        accessToken: {
          token: "old",
          tokenType: "Bearer",
          scopes: [],
          issuedAt: seconds() - 7200,
          expiresAt: seconds() - 60,
        },
      }),
    typed: [...flags, "--no-interactive"],
    says: /\[login_required: expired\]/,
    status: 3,
  },
  {
    name: "--min-validity-seconds that is not reached",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--no-interactive", "--min-validity-seconds=3650"],
    says: /\[login_required/,
    status: 3,
  },
  {
    name: "--id-token where there is none",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--no-interactive", "--id-token"],
    says: /\[login_required/,
    status: 3,
  },
  {
    name: "--force-refresh",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--no-interactive", "--force-refresh"],
    says: /\[login_required/,
    status: 3,
  },
  {
    name: "--force-login",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--no-interactive", "--force-login"],
    says: /\[login_required/,
    status: 3,
  },
  {
    name: "another configuration's token",
    prepare: () => home.remember({ ...configuration, audience: "other" }),
    typed: [...flags, "--no-interactive"],
    says: /\[login_required/,
    status: 3,
  },
  ...["--resource=https://api.example.com/", "--resource=urn:a", "--acr-values=gold"].map(
    (flag) => ({
      name: `a token that was issued without ${flag}`,
      prepare: () => home.remember(configuration),
      typed: [...flags, "--no-interactive", flag],
      says: /\[login_required/,
      status: 3,
    }),
  ),
  {
    name: "an invalid option beside a cached token",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--callback-port=99999"],
    says: /^--callback-port does not accept a number.*\[invalid_option\]\n$/,
    status: 2,
  },
  {
    name: "an unknown flag",
    prepare: () => home.remember(configuration),
    typed: [...flags, "--bogus"],
    says: /--bogus.*\[invalid_option\]/,
    status: 2,
  },
  {
    name: "an invalid environment variable",
    prepare: () => home.remember(configuration),
    typed: flags,
    environment: { LATCHKEY_PKCE: "maybe" },
    says: /LATCHKEY_PKCE.*\[invalid_option\]/,
    status: 2,
  },
  {
    name: "a profile that does not exist",
    prepare: () => home.remember(configuration),
    typed: ["--profile=work"],
    says: /config\.toml.*\[invalid_option\]/,
    status: 2,
  },
  {
    name: "a cache file that others can read",
    prepare: () => chmodSync(home.remember(configuration), 0o644),
    typed: flags,
    says: /chmod 600.*\[cache_insecure\]/,
    status: 1,
  },
  {
    name: "a cache folder that others can read",
    prepare: () => {
      home.remember(configuration);
      chmodSync(home.cacheFolder, 0o755);
    },
    typed: flags,
    says: /chmod 700.*\[cache_insecure\]/,
    status: 1,
  },
  {
    name: "a configuration file that others can write",
    prepare: () => {
      home.remember(configuration);
      home.configure(`[profile.work]\nissuer = "${issuer}"\nclient-id = "my-cli"\n`);
      chmodSync(home.configurationFile, 0o666);
    },
    typed: ["--profile=work"],
    says: /can be written by other users.*\[invalid_option\]/,
    status: 2,
  },
];

test.each(handedOver)(
  "both say the same: $name",
  async ({ prepare, typed = [], environment = {}, says, status }) => {
    prepare();
    const warm = await run(built.warm, ["token", ...typed], { home, environment });
    const full = await run(built.full, ["token", ...typed], { home, environment });
    expect(warm).toEqual(full);
    expect(warm).toMatchObject({ status, stdout: "" });
    expect(warm.stderr).toMatch(says);
  },
);
