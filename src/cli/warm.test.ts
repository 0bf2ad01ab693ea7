// The warm command as a process: what it answers by itself, what it hands over, and that both say the same.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import {
  buildCommandLine,
  createHome,
  recordFor,
  run,
  unsignedIdToken,
  type BuiltCommandLine,
  type Home,
} from "./testing.ts";
import { formatCacheFile } from "../record/parse.ts";

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

/** Tells which modules a process has loaded beyond a bare start, and from which files. */
const spy = `
const before = new Set(process.moduleLoadList);
process.on("exit", () => {
  const loaded = process.moduleLoadList.filter((name) => !before.has(name));
  require("node:fs").writeFileSync(process.env.SPY, JSON.stringify({ loaded, files: Object.keys(require.cache) }));
});
`;

async function spied(
  argumentList: readonly string[],
): Promise<{ loaded: string[]; files: string[]; stdout: string }> {
  const preload = join(home.path, "spy.cjs");
  const report = join(home.path, "spy.json");
  writeFileSync(preload, spy);
  const { stdout } = await run(built.warm, argumentList, {
    home,
    environment: { SPY: report },
    nodeArguments: ["--require", preload],
  });
  const { loaded, files } = JSON.parse(readFileSync(report, "utf8")) as {
    loaded: string[];
    files: string[];
  };
  return { loaded, files: files.filter((file) => file !== preload), stdout };
}

test("a warm start loads no module beyond those of a bare start, and no file but its own", async () => {
  home.remember(configuration);
  home.configure(`[profile.work]\nissuer = "${issuer}"\nclient-id = "my-cli"\n`);
  for (const typed of [flags, ["--json", ...flags], ["--profile", "work", "--header"]]) {
    const { loaded, files, stdout } = await spied(["token", ...typed]);
    expect(stdout).toContain("cached-access-token");
    expect(loaded).toEqual([]);
    expect(files).toEqual([built.warm]);
  }
});

test("the spy sees a module that is loaded", async () => {
  const { loaded } = await spied(["--version"]);
  expect(loaded.join()).toContain("NativeModule tty");
});

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
      }),
    typed: [
      ...flags,
      "--scopes=a",
      "--audience=api",
      "--token-endpoint=https://id.example.com/t",
      "--login-hint=alice",
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
    says: /\[login_required: no_token\]/,
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

test("a damaged cache is set aside by the full program, with a warning", async () => {
  const file = home.remember(configuration);
  appendFileSync(file, "}");
  const ended = await run(built.warm, ["token", "--no-interactive", ...flags], { home });
  expect(ended).toMatchObject({ status: 3, stdout: "" });
  expect(ended.stderr).toMatch(/damaged/);
});

test("a custom file with one unusable record is the full program's to answer", async () => {
  const file = join(home.path, "private", "tokens.json");
  home.remember(configuration);
  renameSync(home.cacheFolder, join(home.path, "private"));
  const records = [
    recordFor(configuration),
    { ...recordFor({ ...configuration, audience: "x" }), version: 1 },
  ];
  writeFileSync(file, formatCacheFile(records as never), { mode: 0o600 });
  const ended = await run(built.warm, ["token", `--cache-path=${file}`, ...flags], { home });
  expect(ended).toMatchObject({ status: 0, stdout: "cached-access-token\n" });
});

test("works from a folder that was removed", async () => {
  home.remember(configuration);
  const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"';
  const gone = join(home.path, "gone");
  const ended = spawnSync(
    "sh",
    ["-c", `mkdir "$1" && ${script}`, "sh", gone, process.execPath, built.warm, "token", ...flags],
    { env: { PATH: process.env["PATH"], HOME: home.path }, encoding: "utf8" },
  );
  expect([ended.status, ended.stdout, ended.stderr]).toEqual([0, "cached-access-token\n", ""]);
});

const longToken = "x".repeat(100_000);

test("writes a long token whole into a pipe that is full and does not block", async () => {
  home.remember(configuration, {
    accessToken: {
      token: longToken,
      tokenType: "Bearer",
      scopes: [],
      issuedAt: seconds(),
      expiresAt: seconds() + 3600,
    },
  });
  // Node makes its own end of a pipe non-blocking, and so the child's where both share it: EAGAIN for the writer.
  const child = spawn(process.execPath, [built.warm, "token", ...flags], {
    env: { PATH: process.env["PATH"], HOME: home.path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.setEncoding("utf8");
  let text = "";
  child.stdout.on("data", (part: string) => (text += part));
  const [status] = (await once(child, "close")) as [number];
  expect([status, text.length]).toEqual([0, longToken.length + 1]);
});

test("a reader that goes away is no fault", () => {
  home.remember(configuration, {
    accessToken: {
      token: longToken,
      tokenType: "Bearer",
      scopes: [],
      issuedAt: seconds(),
      expiresAt: seconds() + 3600,
    },
  });
  for (const program of [built.warm, built.full]) {
    const ended = spawnSync(
      "bash",
      [
        "-c",
        'set -o pipefail; "$@" | head -c 5',
        "bash",
        process.execPath,
        program,
        "token",
        ...flags,
      ],
      { env: { PATH: process.env["PATH"], HOME: home.path }, encoding: "utf8" },
    );
    expect([ended.status, ended.stdout, ended.stderr]).toEqual([0, "xxxxx", ""]);
  }
});

test("an output that cannot be written is said, once, with status 1", () => {
  home.remember(configuration);
  for (const program of [built.warm, built.full]) {
    const ended = spawnSync(
      "sh",
      ["-c", '"$@" > /dev/full', "sh", process.execPath, program, "token", ...flags],
      {
        env: { PATH: process.env["PATH"], HOME: home.path },
        encoding: "utf8",
      },
    );
    expect([ended.status, ended.stderr]).toEqual([
      1,
      "The result could not be written to standard output: no space is left. [output_failed]\n",
    ]);
  }
});
