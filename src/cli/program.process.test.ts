// The full program as a process: streams, exit statuses and the end.

import { once } from "node:events";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  buildCommandLine,
  createHome,
  run,
  unsignedIdToken,
  type BuiltCommandLine,
  type Ended,
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
const hour = 3600;
const seconds = (): number => Math.floor(Date.now() / 1000);

function latchkey(...argumentList: string[]): Promise<Ended> {
  return run(built.warm, argumentList, { home });
}

test("without a command it explains itself, as a result, with status 0", async () => {
  const bare = await latchkey();
  const asked = await latchkey("--help");
  expect(bare).toMatchObject({ status: 0, stderr: "" });
  expect(bare.stdout).toBe(asked.stdout);
  expect(bare.stdout).toContain("Usage: latchkey COMMAND [FLAGS]");
});

test("help for a command, both ways", async () => {
  const flagged = await latchkey("token", "--help");
  expect(flagged).toMatchObject({ status: 0, stderr: "" });
  expect(await latchkey("help", "token")).toEqual(flagged);
  expect(flagged.stdout).toContain(home.configurationFile);
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as {
    version: string;
  };
  expect(await latchkey("--version")).toMatchObject({
    status: 0,
    stdout: `latchkey ${version}\n`,
    stderr: "",
  });
});

test.each([
  [["tokn"], 2, "invalid_option"],
  [["token", "--bogus"], 2, "invalid_option"],
  [["token", "--client-secret", "hunter2"], 2, "invalid_option"],
  [["token", ...flags, "--callback-port=x"], 2, "invalid_option"],
  [["token"], 2, "missing_issuer"],
  [["token", `--issuer=${issuer}`], 2, "missing_client_id"],
  [["token", "--issuer=http://id.example.com", "--client-id=x"], 2, "insecure_url"],
  [["token", ...flags, "--no-interactive"], 3, "login_required: no_token"],
  [["whoami", ...flags], 3, "login_required: no_token"],
  [["whoami"], 2, "missing_issuer"],
  [["logout"], 2, "missing_issuer"],
] as const)("%j ends with %i and [%s]", async (argumentList, status, tag) => {
  const ended = await latchkey(...argumentList);
  expect(ended).toMatchObject({ status, stdout: "" });
  expect(ended.stderr.endsWith(`[${tag}]\n`)).toBe(true);
  expect(ended.stderr.trimEnd()).not.toContain("\n");
  expect(ended.stderr).not.toMatch(/hunter2|`/);
});

test.each([
  ["CI=1", { CI: "1" }, "CI is set and there is no terminal"],
  ["CI=woodpecker", { CI: "woodpecker" }, "CI is set and there is no terminal"],
  ["cron, no CI", { CI: "" }, "there is neither a terminal nor a display"],
] as const)(
  "under %s without a terminal nobody is asked, and no request is made [F-U6]",
  async (_name, environment, why) => {
    const ended = await run(
      built.full,
      ["token", "--issuer=https://127.0.0.1:1", "--client-id=my-cli"],
      { home, environment },
    );
    expect(ended).toMatchObject({ status: 3, stdout: "" });
    expect(ended.stderr).toContain(`nobody can be asked, because ${why}.`);
    expect(ended.stderr).toContain(
      "Run: latchkey login --issuer https://127.0.0.1:1 --client-id my-cli [login_required: no_token]",
    );
  },
);

test("login under CI without a terminal asks nobody either, and does not send its reader in a circle", async () => {
  const ended = await latchkey("login", "--issuer=https://127.0.0.1:1", "--client-id=my-cli");
  expect(ended).toMatchObject({ status: 3, stdout: "" });
  expect(ended.stderr).toMatch(
    /^Signing in at 127\.0\.0\.1:1 takes a person, .* \[login_required: no_token\]\n$/,
  );
  expect(ended.stderr).not.toContain("Run: latchkey login");
  expect((await latchkey("login")).stderr).toMatch(/\[missing_issuer\]\n$/);
});

test("fetch speaks of the URL that was typed, not of an option that nobody gave", async () => {
  const { status, stdout, stderr } = await latchkey("fetch", "http://example.com");
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toBe(
    "No token is sent to example.com:80: its address is not an https: URL (http: only on loopback). Use its https: address. [insecure_url]\n",
  );
});

test("status lists what is cached, in both forms, without any token", async () => {
  home.remember(configuration, {
    refreshToken: "hunter2-refresh",
    idToken: unsignedIdToken({ sub: "hunter2" }),
  });
  home.remember({ ...configuration, clientId: "other" }, { displayName: "bob" });
  const shown = await latchkey("status");
  expect(shown).toMatchObject({ status: 0, stderr: "" });
  expect(shown.stdout.match(/^https:\/\/id\.example\.com$/gm)).toHaveLength(2);
  const json = await latchkey("status", "--json", "--client-id=my-cli");
  expect(JSON.parse(json.stdout)).toEqual([
    {
      issuer,
      server: null,
      clientId: "my-cli",
      subject: "248289761001",
      name: "alice@example.com",
      profile: null,
      scopes: ["openid", "email"],
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      refreshable: true,
      storeLevel: "file-permissions",
    },
  ]);
  expect(shown.stdout + json.stdout).not.toMatch(/hunter2|cached-access-token/);
});

test("status narrows to the configuration that is named", async () => {
  home.remember(configuration);
  home.remember({ ...configuration, audience: "api" });
  home.remember({ issuer: "https://other.example", clientId: "my-cli" });
  const count = async (...typed: string[]): Promise<number> =>
    (JSON.parse((await latchkey("status", "--json", ...typed)).stdout) as unknown[]).length;
  expect(await count()).toBe(3);
  expect(await count(`--issuer=${issuer}`)).toBe(2);
  expect(await count("--client-id=my-cli")).toBe(3);
  expect(await count(...flags, "--audience=api")).toBe(1);
  expect(await count("--issuer=https://none.example")).toBe(0);
  expect((await latchkey("status", "--issuer=https://none.example")).stderr).toBe(
    "Nothing is cached for these options. All that is cached: latchkey status\n",
  );
});

test("an empty cache is [] or a sentence for people, and no failure; looking creates nothing", async () => {
  expect(await latchkey("status", "--json")).toMatchObject({
    status: 0,
    stdout: "[]\n",
    stderr: "",
  });
  expect(await latchkey("status")).toMatchObject({
    status: 0,
    stdout: "",
    stderr: "Nothing is cached.\n",
  });
  expect(existsSync(home.cacheFolder)).toBe(false);
});

test("whoami shows the ID token's claims without any request", async () => {
  const claims = {
    iss: issuer,
    sub: "1",
    aud: "my-cli",
    name: "Alice\u001b[31m Example",
    email: "alice@example.com",
    iat: seconds(),
    exp: seconds() + hour,
  };
  home.remember(configuration, { idToken: unsignedIdToken(claims) });
  const shown = await latchkey("whoami", ...flags);
  expect(shown).toMatchObject({ status: 0, stderr: "" });
  expect(shown.stdout).toBe(
    `name     Alice [31m Example\nemail    alice@example.com\nsubject  1\nissuer   ${issuer}\n`,
  );
  const json = await latchkey("whoami", "--json", ...flags);
  expect(JSON.parse(json.stdout)).toEqual(claims);
  expect(json.stdout).not.toContain("\u001b");
});

test("logout forgets this configuration and says whose it was", async () => {
  home.remember(configuration);
  home.remember({ ...configuration, clientId: "other" });
  const ended = await latchkey("logout", ...flags);
  expect(ended).toMatchObject({
    status: 0,
    stdout: "",
    stderr: "Forgot the sign-in to id.example.com as alice@example.com.\n",
  });
  expect(
    readdirSync(home.cacheFolder).filter((name) => /^[0-9a-f]{32}\.json$/.test(name)),
  ).toHaveLength(1);
  expect(await latchkey("logout", ...flags)).toMatchObject({
    status: 0,
    stderr: "There was no sign-in to forget for this configuration.\n",
  });
});

test("logout --all forgets every one", async () => {
  home.remember(configuration);
  home.remember({ ...configuration, clientId: "other" });
  expect(await latchkey("logout", "--all")).toMatchObject({
    status: 0,
    stdout: "",
    stderr: "Forgot 2 sign-ins.\n",
  });
  expect(await latchkey("status", "--json")).toMatchObject({ stdout: "[]\n" });
  expect(await latchkey("logout", "--all")).toMatchObject({
    status: 0,
    stderr: "There was no sign-in to forget.\n",
  });
});

/** Takes connections and never says anything. */
async function silentServer(): Promise<{
  server: Server;
  port: number;
  connected: Promise<unknown>;
}> {
  const server = createServer();
  const connected = once(server, "connection");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port, connected };
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s ends the work with status %i, by exiting", async (signal, status) => {
  const { server, port, connected } = await silentServer();
  try {
    const child = spawn(
      process.execPath,
      [built.warm, "token", `--issuer=http://127.0.0.1:${String(port)}`, "--client-id=my-cli"],
      {
        // A desktop: somebody may be there to sign in.
        env: { PATH: process.env["PATH"], HOME: home.path, DISPLAY: ":0" },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await connected;
    child.kill(signal);
    expect(await once(child, "close")).toEqual([status, null]);
    expect(stdout).toBe("");
    expect(stderr).toBe("Stopped before it was done. [aborted]\n");
  } finally {
    server.close();
  }
});

test("a client secret from standard input is asked for only when it is needed", async () => {
  home.remember(configuration);
  const cached = await run(built.warm, ["token", "--client-secret-file=-", ...flags], {
    home,
    input: "",
  });
  expect(cached).toMatchObject({ status: 0, stdout: "cached-access-token\n", stderr: "" });
  const needed = await run(
    built.warm,
    ["token", "--client-secret-file=-", ...flags, "--force-refresh"],
    { home, input: "" },
  );
  expect(needed).toMatchObject({ status: 2, stdout: "" });
  expect(needed.stderr).toMatch(/^Standard input is empty.*\[invalid_option\]\n$/);
});

test("a secret file that others can read is used, with a warning and without its content [O07]", async () => {
  const path = join(home.path, "secret");
  writeFileSync(path, "hunter2\n");
  chmodSync(path, 0o644);
  const ended = await latchkey("token", ...flags, `--client-secret-file=${path}`);
  expect(ended).toMatchObject({ status: 3, stdout: "" });
  expect(ended.stderr).toContain(`chmod 600 ${path}`);
  expect(ended.stderr).not.toContain("hunter2");
});

test("a closed standard error is no fault", async () => {
  home.remember(configuration);
  const child = spawn(
    "sh",
    ["-c", '"$@" 2>&-', "sh", process.execPath, built.full, "logout", ...flags],
    {
      env: { PATH: process.env["PATH"], HOME: home.path },
      stdio: "ignore",
    },
  );
  expect(await once(child, "close")).toEqual([0, null]);
});

test("a printed result holds no token object's inside: JSON has the named members alone [O08]", async () => {
  home.remember(configuration, { refreshToken: "hunter2" });
  const { stdout } = await run(built.full, ["token", "--json", ...flags], { home });
  expect(Object.keys(JSON.parse(stdout) as object)).toEqual([
    "token",
    "tokenType",
    "expiresAt",
    "scopes",
    "idToken",
    "source",
  ]);
  expect(stdout).not.toContain("hunter2");
});

test("--verbose and LATCHKEY_LOG=debug print the events of every command on standard error, and no secret [F-U5]", async () => {
  home.remember(configuration);
  const event = /^\d\d:\d\d:\d\d\.\d{3} [a-z_.]+( \w+=("[^"]*"|\S+))*$/u;
  const runs = await Promise.all([
    latchkey("token", "--verbose", ...flags),
    run(built.warm, ["token", ...flags], { home, environment: { LATCHKEY_LOG: "debug" } }),
    latchkey("token", "--client-secret-file=/dev/null", "--verbose", ...flags),
  ]);
  for (const { status, stderr } of [...runs, await latchkey("logout", "--verbose", ...flags)]) {
    expect(status).toBe(0);
    const lines = stderr.trimEnd().split("\n");
    expect(lines.filter((line) => event.test(line)).length).toBeGreaterThan(0);
    expect(stderr).not.toContain("cached-access-token");
  }
  expect(runs[0]?.stdout).toBe("cached-access-token\n");
  expect(await latchkey("version", "--verbose")).toMatchObject({ status: 0, stderr: "" });
});
