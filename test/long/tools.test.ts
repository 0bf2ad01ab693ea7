// git and curl with one sign-in: a refused token heals, and a server that no table names sees none.

import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { needs } from "../support/debian-packages.ts";
import { linesOfPage, startToolDesk, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startEchoServer, startGitServer, type ToolServer } from "../support/tool-servers.ts";

const gitProgram = needs("git");
const curl = needs("curl");

let here: ToolDesk;
beforeAll(async () => {
  here = await startToolDesk();
});
afterAll(() => here.close());

async function git(...parameters: readonly string[]): Promise<Ran> {
  const helper = ["-c", "credential.helper=", "-c", "credential.helper=latchkey"];
  const person = ["-c", "user.name=alice", "-c", "user.email=alice@example.test"];
  return here.run("git", [...helper, ...person, ...parameters]);
}

/** A repository with one commit, and the servers before it: one in the table, one that is not. */
async function repository(): Promise<{ known: ToolServer; stranger: ToolServer }> {
  const folder = join(here.home, "repositories");
  mkdirSync(folder, { recursive: true });
  if (!existsSync(join(folder, "a.git"))) {
    await git("init", "-q", "--bare", join(folder, "a.git"));
    await git("-C", join(folder, "a.git"), "config", "http.receivepack", "true");
    await git("init", "-q", join(here.home, "first"));
    await git("-C", join(here.home, "first"), "commit", "-q", "--allow-empty", "-m", "first");
    await git(
      "-C",
      join(here.home, "first"),
      "push",
      "-q",
      join(folder, "a.git"),
      "HEAD:refs/heads/main",
    );
    await git("-C", join(folder, "a.git"), "symbolic-ref", "HEAD", "refs/heads/main");
  }
  const known = await here.started(startGitServer(here.identityProvider, folder));
  const stranger = await here.started(startGitServer(here.identityProvider, folder));
  here.configure(known);
  return { known, stranger };
}

test.skipIf(!gitProgram.available)("git clones and pushes", async () => {
  const { known } = await repository();
  const lines = linesOfPage("git config").replace(
    "https://git.example.com",
    `http://${known.host}`,
  );
  expect(await here.run("/bin/sh", ["-c", lines])).toEqual({ code: 0, output: "" });
  const cloned = await here.run("git", [
    "clone",
    "-q",
    `http://${known.host}/a.git`,
    join(here.home, "cloned"),
  ]);
  expect(cloned).toEqual({ code: 0, output: "" });
  await git("-C", join(here.home, "cloned"), "commit", "-q", "--allow-empty", "-m", "second");
  const pushed = await git(
    "-C",
    join(here.home, "cloned"),
    "push",
    "-q",
    "origin",
    "HEAD:refs/heads/second",
  );
  expect(pushed).toEqual({ code: 0, output: "" });
  expect(known.tokens.size).toBe(1);
  expect(here.identityProvider.requests().token).toBe(0);
});

test.skipIf(!gitProgram.available)(
  "git heals a token that was refused, without a person",
  async () => {
    const { known } = await repository();
    here.identityProvider.resetRequests();
    const { output } = await here.run("latchkey", ["token", "--profile", "work"]);
    known.refuse(output.trim());
    const clone = (name: string): Promise<Ran> =>
      git("clone", "-q", `http://${known.host}/a.git`, join(here.home, name));
    const first = await clone("healed");
    const [, major = "0", minor = "0"] = /(\d+)\.(\d+)/.exec((await git("--version")).output) ?? [];
    const canReturn = Number(major) * 1000 + Number(minor) >= 2046;
    // An older git cannot come back: its command fails, and the next one has another token.
    const again = canReturn ? first : await clone("healed-later");
    expect([first.code, again]).toEqual([canReturn ? 0 : 128, { code: 0, output: "" }]);
    expect(here.identityProvider.requests().token).toBe(1);
    expect(known.tokens.size).toBe(2);
  },
);

test.skipIf(!gitProgram.available)(
  "a git server that is not in the table sees no token",
  async () => {
    const { stranger } = await repository();
    const { code } = await git(
      "clone",
      "-q",
      `http://${stranger.host}/a.git`,
      join(here.home, "stolen"),
    );
    expect(code).toBe(128);
    expect(stranger.log.length).toBeGreaterThan(0);
    expect([...stranger.tokens]).toEqual([]);
  },
);

test.skipIf(!curl.available)(
  "curl takes the header and the configuration from a pipe",
  async () => {
    const echo = await here.started(startEchoServer(here.identityProvider));
    const words = linesOfPage("curl -H")
      .replaceAll("https://api.example.com/", `-sS http://${echo.host}/`)
      .trim()
      .split("\n");
    expect(words).toHaveLength(2);
    for (const word of words) {
      expect(await here.run("/bin/sh", ["-c", word])).toEqual({
        code: 0,
        output: '{"isGood":true}',
      });
    }
  },
);
