// The helpers as tools start them: what comes from the cache, what a program that asks again gets, and who gets nothing.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { needs } from "../support/debian-packages.ts";
import { startIdentityProvider, type IdentityProvider } from "../support/identity-provider.ts";
import { desk, type Desk } from "./harness.ts";

const folder = fileURLToPath(new URL("../../dist/cli/", import.meta.url));

let identityProvider: IdentityProvider;
beforeAll(async () => {
  identityProvider = await startIdentityProvider({ idTokenLifetimeSeconds: 3600 });
});
afterAll(() => identityProvider.close());

let here: Desk;
beforeEach(async () => {
  here = await desk();
  const configuration = join(here.home, ".config", "latchkey");
  mkdirSync(configuration, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(configuration, "config.toml"),
    `[profile.work]
issuer = "${identityProvider.issuer}"
client-id = "${identityProvider.clients.public.clientId}"
scopes = ["openid", "offline_access"]
callback-port = 0
browser-command = '${here.browser}'

[server."git.example.com"]
profile = "work"
`,
    { mode: 0o600 },
  );
  identityProvider.resetRequests();
});

const git = join(folder, "git-credential-latchkey.cjs");
const request = "capability[]=authtype\ncapability[]=state\nprotocol=https\nwwwauth[]=Bearer\n";

async function signIn(): Promise<void> {
  const { code, stderr } = await here.run(["login", "--profile", "work"], {
    env: { DISPLAY: ":9" },
  });
  expect([code, stderr]).toEqual([0, expect.stringContaining("Signed in") as string]);
  identityProvider.resetRequests();
}

/** A program that runs a helper so often, one call after the other, and prints what each said. */
async function programThatAsks(
  times: number,
  words: readonly string[],
): Promise<readonly string[]> {
  const script = `
    const { spawnSync } = require("node:child_process");
    const said = [];
    for (let count = 0; count < ${String(times)}; count += 1) {
      const { stdout, stderr, status } = spawnSync("/bin/sh", ["-c", process.argv[1]], { encoding: "utf8" });
      said.push(stdout + stderr + status);
    }
    console.log(JSON.stringify(said));`;
  const quoted = words.map((word) =>
    word.endsWith(".cjs") ? `${process.execPath} ${word}` : word,
  );
  const child = spawn(process.execPath, ["-e", script, quoted.join(" ")], {
    env: { PATH: process.env["PATH"], HOME: here.home, DISPLAY: ":9" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  for await (const chunk of child.stdout) printed += String(chunk);
  return JSON.parse(printed) as readonly string[];
}

test("a cached token comes without a request, and without code of the protocol", async () => {
  await signIn();
  const spy = join(here.home, "spy.cjs");
  writeFileSync(
    spy,
    `process.on("exit", () => require("node:fs").writeFileSync(process.env.HOME + "/loaded", Object.keys(require.cache).join("\\n")));`,
  );
  const handed = await here.run(["get"], {
    command: git,
    stdin: `${request}host=git.example.com\n`,
    env: { NODE_OPTIONS: `--require ${spy}` },
  });
  expect([handed.code, handed.stdout]).toEqual([
    0,
    expect.stringContaining("authtype=Bearer\n") as string,
  ]);
  expect(Object.values(identityProvider.requests()).every((count) => count === 0)).toBe(true);
  const loaded = readFileSync(join(here.home, "loaded"), "utf8").split("\n");
  const needless = /^(refresh|client|pages|browser|race|discovery|terminal)-/;
  expect(loaded.map((file) => basename(file)).filter((file) => needless.test(file))).toEqual([]);
  // Nothing is noted of what nobody will ask for.
  expect(readdirSync(join(here.home, ".local", "state", "latchkey"))).not.toContain("helpers");
});

test("a server that is not in the table gets nothing, whatever is asked and set", async () => {
  await signIn();
  const forms = [
    "other.example.com",
    "git.example.com:8443",
    "git.example.com.",
    "evil@git.example.com",
  ];
  for (const host of forms) {
    const { code, stdout } = await here.run(["get", "--profile", "work"], {
      command: git,
      stdin: `${request}host=${host}\n`,
      env: { LATCHKEY_PROFILE: "work" },
    });
    expect([host, code, stdout]).toEqual([host, 0, ""]);
  }
  const docker = join(folder, "docker-credential-latchkey.cjs");
  const { code, stdout } = await here.run(["get"], {
    command: docker,
    stdin: "https://index.docker.io/v1/",
    env: { LATCHKEY_PROFILE: "work" },
  });
  expect([code, stdout]).toEqual([1, "credentials not found in native keychain\n"]);
});

test("--profile does not lead to another sign-in than the table's", async () => {
  const { code, stdout, stderr } = await here.run(["get", "--profile", "other"], {
    command: git,
    stdin: `${request}host=git.example.com\n`,
  });
  expect([code, stdout]).toEqual([2, "quit=1\n"]);
  expect(stderr).toMatch(/names the profile work for this server.*\[invalid_option\]/s);
});

test("a program that failed once fails at once, and another one is asked anew", async () => {
  await signIn();
  const undo = identityProvider.tamper({
    path: "token",
    respond: async () => ({ status: 400, body: '{"error":"invalid_scope"}' }),
  });
  const words = [join(folder, "latchkey.cjs"), "credential", "headers", "--profile", "work"];
  const said = await programThatAsks(3, [...words, "--force-refresh"]);
  expect(said).toEqual([said[0], said[0], said[0]]);
  expect(said[0]).toMatch(/\[token_request_failed: invalid_scope\]\n1$/);
  expect(identityProvider.requests().token).toBe(1);
  await programThatAsks(1, [...words, "--force-refresh"]);
  expect(identityProvider.requests().token).toBe(2);
  undo();
});

test("a failure is over once the cache has a token", async () => {
  const words = [join(folder, "latchkey.cjs"), "credential", "headers", "--profile", "work"];
  const login = [join(folder, "latchkey.cjs"), "login", "--profile", "work"];
  const said = await programThatAsks(2, [...words, "||", ...login, "2>/dev/null", "#"]);
  expect(said[0]).toMatch(/\[login_required: no_token\]\n/);
  expect(said[1]).toMatch(/^\{"Authorization":"Bearer /);
});

test("the same program asking again at once was refused: the token is renewed, once", async () => {
  await signIn();
  const said = await programThatAsks(4, [
    join(folder, "kubectl-latchkey.cjs"),
    "--profile",
    "work",
    // An ID token of the same second would be the same one.
    "--access-token",
  ]);
  const tokens = said.map(
    (text) =>
      (JSON.parse(text.slice(0, text.lastIndexOf("}") + 1)) as { status: { token: string } }).status
        .token,
  );
  expect(tokens[1]).not.toBe(tokens[0]);
  expect(tokens.slice(2)).toEqual([tokens[1], tokens[1]]);
  expect(identityProvider.requests().token).toBe(1);
});

test("programs of their own are not one that asks again", async () => {
  await signIn();
  const words = [join(folder, "kubectl-latchkey.cjs"), "--profile", "work"];
  const [one, other] = [await programThatAsks(1, words), await programThatAsks(1, words)];
  expect(other).toEqual(one);
  expect(identityProvider.requests().token).toBe(0);
});

test("git comes back with a token that was refused, and gets another one", async () => {
  await signIn();
  const ask = async (more = ""): Promise<ReadonlyMap<string, string>> => {
    const { stdout } = await here.run(["get"], {
      command: git,
      stdin: `${request}host=git.example.com\n${more}`,
    });
    return new Map(stdout.split("\n").map((line) => line.split(/=(.*)/s) as [string, string]));
  };
  const first = await ask();
  const second = await ask(`state[]=${first.get("state[]") ?? ""}\n`);
  expect(second.get("credential")).not.toBe(first.get("credential"));
  expect([first.get("continue"), second.get("continue")]).toEqual(["1", undefined]);
  expect(identityProvider.requests().token).toBe(1);
  // Erased by its words, too; one that is no longer handed out changes nothing.
  for (const token of [first.get("credential"), second.get("credential")]) {
    await here.run(["erase"], {
      command: git,
      stdin: `protocol=https\nhost=git.example.com\nauthtype=Bearer\ncredential=${token ?? ""}\n`,
    });
  }
  expect(identityProvider.requests().token).toBe(2);
  expect((await ask()).get("credential")).not.toBe(second.get("credential"));
});

test("a program whose sign-in was refused opens no second window", async () => {
  const words = [join(folder, "kubectl-latchkey.cjs"), "--profile", "work", "--interactive"];
  const said = await programThatAsks(2, [
    ...words,
    "--browser-command",
    `"${here.refusingBrowser}"`,
  ]);
  expect(said[0]).toMatch(/\[access_denied\]\n4$/);
  // The first call has shown where to sign in, too; the second repeats the last paragraph alone.
  expect(said[1]).toMatch(/^[^\n]+\[access_denied\]\n4$/);
  expect(here.opened()).toHaveLength(1);
});

const script = needs("script");

test.skipIf(!script.available)(
  "where a tool hides what its helper says, the terminal shows it",
  async () => {
    const command = `${process.execPath} ${join(folder, "latchkey.cjs")} credential headers --profile work 2>/dev/null`;
    const child = spawn(script.path, ["-qec", command, "/dev/null"], {
      env: { PATH: process.env["PATH"], HOME: here.home },
      stdio: ["ignore", "pipe", "inherit"],
    });
    let shown = "";
    for await (const chunk of child.stdout) shown += String(chunk);
    expect(shown).toMatch(/^latchkey: .*\[login_required: no_token\]\r+\n$/);
  },
);

test("a tool that waits for seconds is told before it gives up", async () => {
  await signIn();
  const undo = identityProvider.tamper({
    path: "token",
    respond: () => new Promise(() => undefined),
  });
  const bazel = { command: join(folder, "bazel-credential-latchkey.cjs") };
  const stdin = '{"uri":"https://git.example.com/a"}';
  const { code, stdout, stderr } = await here.run(["get", "--force-refresh"], { ...bazel, stdin });
  undo();
  expect([code, stdout]).toEqual([6, ""]);
  expect(stderr).toMatch(/within 8 seconds, and bazel waits no longer.*\[timeout: operation\]/s);
});

test("AWS's service gets the ID token, and the tool what it gives for that", async () => {
  await signIn();
  let form = new URLSearchParams();
  const service = createServer((incoming, response) => {
    void (async () => {
      let text = "";
      for await (const chunk of incoming.setEncoding("utf8")) text += String(chunk);
      form = new URLSearchParams(text);
      response.end(
        "<AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey><SessionToken>T</SessionToken><Expiration>2030-01-01T00:00:00Z</Expiration>",
      );
    })();
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  onTestFinished(() => void service.close());
  const { port } = service.address() as AddressInfo;
  const role = "arn:aws:iam::123456789012:role/developer";
  const words = ["credential", "aws", "--profile", "work", "--role-arn", role];
  const { code, stdout, stderr } = await here.run(words, {
    env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${String(port)}` },
  });
  expect([code, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toEqual({
    Version: 1,
    AccessKeyId: "A",
    SecretAccessKey: "S",
    SessionToken: "T",
    Expiration: "2030-01-01T00:00:00.000Z",
  });
  const idToken = await here.run(["token", "--id-token", "--profile", "work"]);
  expect(form.get("WebIdentityToken")).toBe(idToken.stdout.trim());
  service.close();
  service.closeAllConnections();
  const gone = await here.run(words, {
    env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${String(port)}` },
  });
  expect([gone.code, gone.stdout]).toEqual([6, ""]);
  expect(gone.stderr).toMatch(/role request.*\[network: refused\]/s);
});

test("flags of kubelogin lead to their own sign-in", async () => {
  const { clientId } = identityProvider.clients.public;
  const words = [
    "get-token",
    `--oidc-issuer-url=${identityProvider.issuer}`,
    `--oidc-client-id=${clientId}`,
  ];
  const kubectl = { command: join(folder, "kubectl-latchkey.cjs") };
  const failed = await here.run([...words, "--no-interactive"], kubectl);
  expect(failed.code).toBe(3);
  expect(failed.stderr).toMatch(
    /latchkey login --issuer \S+ --client-id \S+ --scopes openid .*\[login_required: no_token\]\n$/s,
  );
  const refused = await here.run([...words, "--insecure-skip-tls-verify"], kubectl);
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining("--certificate-authority") as string,
  ]);
});
