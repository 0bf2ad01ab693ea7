// The demo as a person runs it: a process of its own on the built package. Changes when the demo tells another story.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { startProtectedServer } from "../../demo/protected-server.mjs";
import { assertRequests } from "../../demo/request-count.mjs";
import { startIdentityProvider } from "../support/identity-provider.ts";
import { forgeToken, genuineClaims, providerKey, strangeKey } from "../support/token-forge.ts";

const demo = fileURLToPath(new URL("../../demo/main.mjs", import.meta.url));

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What the demo left in the only folders that it could write to. */
  readonly leftBehind: readonly string[];
}

interface Setting {
  /** Source of a module that is loaded before the demo. */
  readonly preload?: string;
  /** An executable that counts as the person's browser. */
  readonly browser?: string;
  readonly isContinuousIntegration?: boolean;
  /** Called with each piece of standard output. */
  readonly onOutput?: (text: string, stop: () => void) => void;
}

// Without a display Linux has no browser; macOS and Windows always have one, and it would open.
const withoutDisplay = { skip: process.platform !== "linux" };

/** Runs the demo with an empty home and temporary folder, and without any display. */
async function runDemo(setting: Setting = {}): Promise<Run> {
  const place = mkdtempSync(join(tmpdir(), "latchkey-demo-test-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const temporary = join(place, "tmp");
  const home = join(place, "home");
  const extra = join(place, "preload.mjs");
  for (const folder of [temporary, home]) mkdirSync(folder, { mode: 0o700 });
  if (setting.preload !== undefined) writeFileSync(extra, setting.preload);
  const child = spawn(
    process.execPath,
    [...(setting.preload === undefined ? [] : ["--import", pathToFileURL(extra).href]), demo],
    {
      env: {
        PATH: process.env["PATH"],
        HOME: home,
        TMPDIR: temporary,
        ...(setting.browser === undefined ? {} : { BROWSER: setting.browser }),
        ...(setting.isContinuousIntegration === true ? { CI: "true" } : {}),
      },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  // A test that runs out of time leaves no process.
  onTestFinished(() => void child.kill("SIGKILL"));
  let stdout = "";
  let stderr = "";
  let isStopped = false;
  const stop = (): void => {
    // A second Ctrl-C would end the demo before it has cleared away.
    if (!isStopped) child.kill("SIGINT");
    isStopped = true;
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    setting.onOutput?.(stdout, stop);
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  // "close" comes only when no process holds the pipes any more.
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr, leftBehind: [...readdirSync(temporary), ...readdirSync(home)] };
}

test(
  "the demo signs in, renews and uses the cache, and leaves nothing behind",
  withoutDisplay,
  async () => {
    const { code, stdout, stderr, leftBehind } = await runDemo();
    expect([stderr, code]).toEqual(["", 0]);
    const logs = stdout.match(/The provider's log: .*/g);
    expect(logs).toEqual([
      "The provider's log: 1 request (keys).",
      expect.stringMatching(/^The provider's log: 3 requests \(/),
      "The provider's log: 1 request (token).",
      expect.stringMatching(/^The provider's log: 5 requests \(/),
      "The provider's log: 0 requests.",
    ]);
    const answers = stdout.match(/(?<=The server says: ).*/g);
    expect(answers).toEqual([
      "401 Unauthorized  (WWW-Authenticate: Bearer …)",
      ...Array.from({ length: 3 }, () => "200 Hello, Alice Example."),
    ]);
    expect(stdout).toContain("The gRPC server says: Hello, Alice Example.");
    expect(stdout).toContain("No browser here (");
    expect(stdout).toContain("signs in as alice by itself");
    expect(stdout.indexOf("The provider stops.")).toBeLessThan(stdout.indexOf("from the cache."));
    expect(leftBehind).toEqual([]);
  },
);

test(
  "every line of the demo but the address fits into 80 columns, and no secret is shown",
  withoutDisplay,
  async () => {
    const { stdout } = await runDemo();
    const lines = stdout.split("\n").filter((line) => !line.startsWith("http"));
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toMatch(/eyJ|code_verifier|code=/);
  },
);

test("with a browser the demo leaves the sign-in to it", async () => {
  const browser = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
  const { code, stdout, stderr } = await runDemo({ browser: `${process.execPath} ${browser}` });
  expect([stderr, code]).toEqual(["", 0]);
  expect(stdout).toContain("Your browser opens.");
  expect(stdout).not.toContain("by itself");
});

test("on a build server no browser is opened, even where there is one", async () => {
  const { code, stdout, stderr } = await runDemo({
    browser: "/bin/true",
    isContinuousIntegration: true,
  });
  expect([stderr, code]).toEqual(["", 0]);
  expect(stdout).toContain("No browser here (continuous integration).");
});

test("one request more than promised, and the demo fails", withoutDisplay, async () => {
  const { code, stderr, leftBehind } = await runDemo({
    preload: `
      const http = process.getBuiltinModule("node:http");
      const original = http.request;
      http.request = (options, ...more) => {
        const { path, headers } = options;
        if (path === "/.well-known/openid-configuration") void fetch("http://" + headers.host + path);
        return original(options, ...more);
      };
    `,
  });
  expect(code).toBe(1);
  expect(stderr).toContain(
    "the provider's log should have 3 requests (discovery, keys, token), and it has 4 requests (",
  );
  expect(leftBehind).toEqual([]);
});

test("Ctrl-C while the demo waits for the browser ends it, and nothing is left", async () => {
  const { code, stderr, leftBehind } = await runDemo({
    // A browser that shows nothing: the demo waits for the person.
    browser: "/bin/true",
    onOutput: (stdout, stop) => {
      if (stdout.includes("/auth?")) stop();
    },
  });
  expect([code, stderr.trim()]).toEqual([130, "Stopped before it was done."]);
  expect(leftBehind).toEqual([]);
});

test("counts differ in number or kind: an error that names both", () => {
  expect(() => assertRequests(["keys", "token"], ["token", "keys"])).not.toThrow();
  expect(() => assertRequests([], ["token"])).toThrow("0 requests, and it has 1 request (token)");
  expect(() => assertRequests(["token"], ["discovery"])).toThrow("1 request (discovery)");
  expect(() => assertRequests(["token"], [])).toThrow("it has 0 requests");
});

test("the protected server refuses what is not an access token of its provider for it", async () => {
  const provider = await startIdentityProvider();
  onTestFinished(() => provider.close());
  const server = await startProtectedServer({
    issuer: provider.issuer,
    clientId: provider.clients.public.clientId,
  });
  onTestFinished(() => server.close());
  const typ = { typ: "at+jwt" };
  const claims = { ...genuineClaims(provider.issuer, server.address), name: "Alice Example" };
  const ask = async (authorization?: string): Promise<string> => {
    const response = await fetch(server.url, authorization ? { headers: { authorization } } : {});
    await response.arrayBuffer();
    return `${response.status} ${response.headers.get("www-authenticate") ?? ""}`;
  };
  const bearer = async (
    changes: Record<string, unknown>,
    forge: Parameters<typeof forgeToken>[1] = { header: typ },
  ): Promise<string> => ask(`Bearer ${await forgeToken({ ...claims, ...changes }, forge)}`);

  expect(await bearer({})).toBe("200 ");
  const from = `resource_metadata="${server.address}/.well-known/oauth-protected-resource"`;
  const challenge = `401 Bearer scope="openid profile", ${from}`;
  expect([await ask(), await ask("Basic YTpi")]).toEqual([challenge, challenge]);
  const refused = `401 Bearer error="invalid_token", scope="openid profile", ${from}`;
  const past = Math.floor(Date.now() / 1000) - 1;
  const { kid } = await providerKey("RS256");
  expect({
    nonsense: await ask("Bearer nonsense"),
    issuer: await bearer({ iss: "http://127.0.0.1:1" }),
    audience: await bearer({ aud: "urn:another" }),
    expired: await bearer({ exp: past }),
    endless: await bearer({ exp: undefined }),
    kindOfToken: await bearer({}, {}),
    signature: await bearer({}, { header: typ, key: strangeKey(kid) }),
    algorithm: await bearer({}, { header: typ, algorithm: "ES256" }),
  }).toEqual({
    nonsense: refused,
    issuer: refused,
    audience: refused,
    expired: refused,
    endless: refused,
    kindOfToken: refused,
    signature: refused,
    algorithm: refused,
  });
});
