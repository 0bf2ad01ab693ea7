// Machines without a place for the cache: a token is worth more than keeping it. Changes when what is said there does.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { desk, provider, type Desk } from "./harness.ts";

const situations: [what: string, (at: Desk) => { env: Record<string, string>; flags: string[] }][] =
  [
    ["no home", () => ({ env: { HOME: "/dev/null/none", XDG_STATE_HOME: "" }, flags: [] })],
    [
      "a home below a file",
      (at) => {
        writeFileSync(join(at.home, "file"), "");
        return { env: { HOME: join(at.home, "file", "home"), XDG_STATE_HOME: "" }, flags: [] };
      },
    ],
    [
      "a cachePath below a file",
      (at) => {
        writeFileSync(join(at.home, "file"), "");
        return { env: {}, flags: ["--cache-path", join(at.home, "file", "cache.json")] };
      },
    ],
    [
      "[F-U17] a home and a cachePath below a file",
      (at) => {
        writeFileSync(join(at.home, "file"), "");
        const flags = ["--cache-path", join(at.home, "file", "cache.json")];
        return { env: { HOME: join(at.home, "file", "home"), XDG_STATE_HOME: "" }, flags };
      },
    ],
    ["a relative XDG_STATE_HOME", () => ({ env: { XDG_STATE_HOME: "state" }, flags: [] })],
  ];

test.each(situations)(
  "%s: a token with one warning, and login says it first [F-U8]",
  async (_what, make) => {
    const at = await desk();
    const identityProvider = await provider();
    const { env, flags } = make(at);
    const all = [...at.flags(identityProvider), ...flags];
    const { code, stdout, stderr } = await at.run(["token", ...all], { env });
    expect([code, stdout.trim() === ""]).toEqual([0, false]);
    expect([stderr, stderr.match(/\[cache_[a-z_]+\]/g)?.length]).toEqual([stderr, 1]);
    // What was not kept renews nothing (F-T12).
    expect(stderr).toMatch(/^Signed in to /m);
    expect(stderr).not.toContain("Renews by itself");
    const opened = at.opened().length;
    const login = await at.run(["login", ...all], { env });
    expect(login.code).toBe(1);
    expect(login.stderr).toMatch(/\[cache_(?:unreadable|write_failed)/);
    expect(at.opened()).toHaveLength(opened);
  },
);

test("--cache-path is all that is needed where no home is known [F-U8]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const folder = join(at.home, "cache");
  mkdirSync(folder, { mode: 0o700 });
  const flags = [...at.flags(identityProvider), "--cache-path", join(folder, "cache.json")];
  const env = { HOME: "relative", XDG_STATE_HOME: "", XDG_CONFIG_HOME: "/nowhere" };
  const login = await at.run(["login", ...flags], { env });
  expect([login.code, login.stderr]).toEqual([0, expect.not.stringContaining("[cache")]);
  const { code, stderr } = await at.run(["token", ...flags, "--no-interactive"], { env });
  expect([code, stderr]).toEqual([0, ""]);
});

test("a relative XDG_STATE_HOME is told as that, not as a missing HOME [F-T11]", async () => {
  const at = await desk();
  const { code, stderr } = await at.run(["status"], { env: { XDG_STATE_HOME: "state" } });
  expect(code).toBe(1);
  expect(stderr).toContain("XDG_STATE_HOME is not an absolute path");
  expect(stderr).not.toContain("Set HOME");
});
