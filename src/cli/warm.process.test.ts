// The warm command as a process: what it loads, and how it writes.

import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from "vitest";
import {
  buildCommandLine,
  createHome,
  recordFor,
  run,
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
  const debuggerIsShut = process.listenerCount("SIGUSR1") > 0;
  require("node:fs").writeFileSync(process.env.SPY, JSON.stringify({ loaded, debuggerIsShut, files: Object.keys(require.cache) }));
});
`;

async function spied(
  argumentList: readonly string[],
): Promise<{ loaded: string[]; files: string[]; debuggerIsShut: boolean; stdout: string }> {
  const preload = join(home.path, "spy.cjs");
  const report = join(home.path, "spy.json");
  writeFileSync(preload, spy);
  const { stdout } = await run(built.warm, argumentList, {
    home,
    environment: { SPY: report },
    nodeArguments: ["--require", preload],
  });
  const said = JSON.parse(readFileSync(report, "utf8")) as {
    loaded: string[];
    files: string[];
    debuggerIsShut: boolean;
  };
  return { ...said, files: said.files.filter((file) => file !== preload), stdout };
}

test("a warm start loads no module beyond those of a bare start, no file but its own, and keeps Node's debugger shut [F-T3]", async () => {
  home.remember(configuration);
  home.configure(`[profile.work]\nissuer = "${issuer}"\nclient-id = "my-cli"\n`);
  for (const typed of [flags, ["--json", ...flags], ["--profile", "work", "--header"]]) {
    const { loaded, files, debuggerIsShut, stdout } = await spied(["token", ...typed]);
    expect(stdout).toContain("cached-access-token");
    // Part of Node's own binary: what it takes to listen for a signal, a sixth of a millisecond (measured).
    expect(loaded).toEqual(["Internal Binding signal_wrap"]);
    expect(debuggerIsShut).toBe(true);
    expect(files).toEqual([built.warm]);
  }
});

test("the spy sees a module that is loaded", async () => {
  const { loaded } = await spied(["--version"]);
  expect(loaded.join()).toContain("NativeModule tty");
});

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
  writeFileSync(file, formatCacheFile(records), { mode: 0o600 });
  const ended = await run(built.warm, ["token", `--cache-path=${file}`, ...flags], { home });
  expect(ended).toMatchObject({ status: 0, stdout: "cached-access-token\n" });
});

test.each([
  ["issuer", { issuer: "https://other.example" }],
  ["client", { clientId: "other" }],
])("a record whose %s was edited by hand is not used [C16]", async (_what, edited) => {
  home.remember(configuration, edited);
  const ended = await run(built.warm, ["token", "--no-interactive", ...flags], { home });
  expect(ended).toMatchObject({ status: 3, stdout: "" });
});

test("a token endpoint in the record that is not the one asked for is not used [C16]", async () => {
  const tokenEndpoint = "https://id.example.com/t";
  home.remember({ ...configuration, tokenEndpoint }, { tokenEndpoint: "https://other.example/t" });
  const typed = ["token", "--no-interactive", `--token-endpoint=${tokenEndpoint}`, ...flags];
  expect(await run(built.warm, typed, { home })).toMatchObject({ status: 3, stdout: "" });
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

test("writes a long token whole where a pipe takes a part at a time, or nothing for a moment", async () => {
  home.remember(configuration, {
    accessToken: {
      token: longToken,
      tokenType: "Bearer",
      scopes: [],
      issuedAt: seconds(),
      expiresAt: seconds() + 3600,
    },
  });
  const patch = join(home.path, "slow-pipe.cjs");
  // What a pipe does that the parent made non-blocking; whether a real one does it in a test is a matter of luck.
  writeFileSync(
    patch,
    `const fs = require("node:fs");
    const write = fs.writeSync;
    let calls = 0;
    fs.writeSync = (descriptor, bytes, offset) => {
      calls += 1;
      if (calls % 3 !== 0) throw Object.assign(new Error("EAGAIN"), { code: "EAGAIN" });
      return write(descriptor, bytes, offset, Math.min(30_000, bytes.length - offset));
    };`,
  );
  const ended = await run(built.warm, ["token", ...flags], {
    home,
    nodeArguments: ["--require", patch],
  });
  expect([ended.status, ended.stdout === `${longToken}\n`, ended.stderr]).toEqual([0, true, ""]);
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
