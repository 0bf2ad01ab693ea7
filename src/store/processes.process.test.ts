// The file store under real processes: killed, many at once, without rights. Changes when what processes share does.
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "rolldown";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { byLane } from "../../test/support/lane.ts";
import { readCacheFileSync } from "../record/read-sync.ts";
import { exampleKey } from "../testing/example-records.ts";

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;
const killedRounds = byLane(40, 10);
const crowd = byLane(20, 6);

/** What a child does with its store; the text after it names the arguments. */
const childSource = `
import { randomBytes } from "node:crypto";
import { systemClock } from ${JSON.stringify(join(import.meta.dirname, "../core/clock.ts"))};
import { createProcessLock } from ${JSON.stringify(join(import.meta.dirname, "../lock/protocol.ts"))};
import { recordKey } from ${JSON.stringify(join(import.meta.dirname, "../record/key.ts"))};
import { createFileStore } from ${JSON.stringify(join(import.meta.dirname, "file-store.ts"))};

const [work, path, lockFolder, name, count] = process.argv.slice(2);
const store = createFileStore({
  location: { kind: "file", path },
  lock: createProcessLock({ folder: lockFolder, clock: systemClock, randomBytes }),
  clock: systemClock,
  randomBytes,
});
const keyOf = (clientId) =>
  recordKey({ kind: "interactive", options: { issuer: "https://id.example.com", clientId } });

function record(clientId, number, filler = "") {
  return {
    key: keyOf(clientId),
    version: "v." + number,
    issuer: "https://id.example.com",
    clientId,
    tokenEndpoint: "https://id.example.com/token",
    authenticationMethod: "none",
    accessToken: { token: "token-" + number + filler, tokenType: "Bearer", scopes: [], issuedAt: 1, expiresAt: null },
    refreshToken: "refresh-" + number + filler,
    signedInAt: 1,
    renewedAt: number,
  };
}

async function increment(clientId, filler) {
  for (;;) {
    const current = await store.read(keyOf(clientId));
    const number = (current?.renewedAt ?? 0) + 1;
    const result = await store.replace(keyOf(clientId), current?.version, record(clientId, number, filler));
    if (result.replaced) return number;
  }
}

if (work === "forever") {
  for (;;) process.stdout.write((await increment(name, "x".repeat(100_000))) + "\\n");
}
if (work === "increments") {
  for (let done = 0; done < Number(count); done += 1) {
    await increment("shared");
    await increment(name);
  }
}
if (work === "once") {
  process.umask(Number.parseInt(count, 8));
  try {
    await increment(name);
    process.stdout.write("saved");
  } catch (error) {
    process.stdout.write(error.code + ": " + error.reason);
  }
}
`;

let bundleFolder: string;
let bundle: string;
let scratch: string;
let path: string;
let children: ChildProcess[];

beforeAll(async () => {
  bundleFolder = mkdtempSync(join(tmpdir(), "latchkey-bundle-"));
  // For the children that run as another user.
  chmodSync(bundleFolder, 0o755);
  const source = join(bundleFolder, "child.js");
  bundle = join(bundleFolder, "child.mjs");
  writeFileSync(source, childSource);
  await build({
    input: source,
    platform: "node",
    logLevel: "silent",
    output: { file: bundle, format: "esm" },
  });
});

afterAll(() => {
  rmSync(bundleFolder, { recursive: true, force: true });
});

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-processes-"));
  path = join(scratch, "cache", "cache.json");
  children = [];
});

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
});

interface Ended {
  readonly output: string;
  readonly status: number | NodeJS.Signals | null;
}

/** Starts a child; `onOutput` is told what it has written so far. */
function start(
  list: readonly string[],
  options: { userId?: number; onOutput?: (output: string, child: ChildProcess) => void } = {},
): Promise<Ended> {
  const [work = "", ...rest] = list;
  const child = spawn(process.execPath, [bundle, work, path, join(scratch, "lock"), ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: "/",
    ...(options.userId === undefined ? {} : { uid: options.userId, gid: options.userId }),
  });
  children.push(child);
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    options.onOutput?.(output, child);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ output, status: code ?? signal }));
  });
}

/** Calls `then` after so many turns of the event loop. */
function afterTurns(turns: number, then: () => void): void {
  if (turns === 0) then();
  else setImmediate(() => afterTurns(turns - 1, then));
}

describe("a process that is killed while it saves", () => {
  test("leaves the whole old or the whole new record, and nothing that it called saved is lost [C07]", async () => {
    for (let round = 0; round < killedRounds; round += 1) {
      let isKilled = false;
      const { output, status } = await start(["forever", "one"], {
        onOutput: (_output, child) => {
          if (isKilled) return;
          isKilled = true;
          // Each round a little later, so that the kills fall on all steps of the save that has begun.
          afterTurns(round * (1000 / killedRounds), () => child.kill("SIGKILL"));
        },
      });
      expect(status).toBe("SIGKILL");
      const last = Number(output.trimEnd().split("\n").at(-1));
      const read = readCacheFileSync(path);
      if (read.state !== "records") throw new Error(`${read.state} in round ${round}`);
      const [record, ...more] = read.records;
      expect(more).toEqual([]);
      const number = record?.renewedAt ?? 0;
      expect(record?.accessToken?.token).toBe(`token-${number}${"x".repeat(100_000)}`);
      expect(record?.refreshToken).toBe(`refresh-${number}${"x".repeat(100_000)}`);
      // What was said to be saved is there; what came after it may be.
      expect(number).toBeGreaterThanOrEqual(last);
    }
    const leftovers = readdirSync(join(scratch, "cache")).filter((name) => name !== "cache.json");
    for (const name of leftovers) {
      expect(name).toMatch(/^\.cache\.json\.latchkey-[0-9a-f]{16}\.tmp$/);
      expect(lstatSync(join(scratch, "cache", name)).mode & 0o777).toBe(0o600);
    }
  }, 60_000);
});

test("a reader never sees anything but a whole record while another process saves [C07][C15]", async () => {
  const states = new Set<string>();
  const numbers = new Set<number>();
  const { status } = await start(["forever", "one"], {
    onOutput: (_output, child) => {
      for (let looks = 0; looks < 200; looks += 1) {
        const read = readCacheFileSync(path);
        states.add(read.state);
        if (read.state !== "records") continue;
        const [record] = read.records;
        const number = record?.renewedAt ?? 0;
        numbers.add(number);
        if (record?.refreshToken !== `refresh-${number}${"x".repeat(100_000)}`) states.add("mixed");
      }
      if (numbers.size > 20) child.kill("SIGKILL");
    },
  });
  expect(status).toBe("SIGKILL");
  expect([...states]).toEqual(["records"]);
}, 60_000);

describe(`${String(crowd)} processes that change one file`, () => {
  test("lose no update, of the same record or of others", async () => {
    const processes = crowd;
    const increments = 5;
    const names = Array.from({ length: processes }, (_process, at) => `process-${at}`);
    const ended = await Promise.all(
      names.map((name) => start(["increments", name, String(increments)])),
    );
    expect(ended.map(({ status }) => status)).toEqual(names.map(() => 0));
    const read = readCacheFileSync(path);
    if (read.state !== "records") throw new Error(read.state);
    const numbers = new Map(read.records.map((record) => [record.key, record.renewedAt]));
    expect(numbers.get(exampleKey("shared"))).toBe(processes * increments);
    for (const name of names) expect(numbers.get(exampleKey(name))).toBe(increments);
    expect(numbers.size).toBe(processes + 1);
    expect(readdirSync(join(scratch, "cache"))).toEqual(["cache.json"]);
  }, 60_000);
});

describe.skipIf(!isRoot)("a process of an ordinary user (needs root to start one)", () => {
  beforeEach(() => {
    chownSync(scratch, nobody, nobody);
  });

  test.each(["0", "077", "777"])(
    "saves under umask %s, private from the start [C01]",
    async (umask) => {
      path = join(scratch, "a", "b", "cache.json");
      const { output } = await start(["once", "one", umask], { userId: nobody });
      expect(output).toBe("saved");
      for (const [made, mode] of [
        ["a", 0o700],
        ["a/b", 0o700],
        ["a/b/cache.json", 0o600],
      ] as const) {
        const stats = lstatSync(join(scratch, made));
        expect([stats.mode & 0o777, stats.uid]).toEqual([mode, nobody]);
      }
    },
  );

  test("is told when it may not write, and the old file stays [C09]", async () => {
    await start(["once", "one", "0"], { userId: nobody });
    const before = readFileSync(path, "utf8");
    chmodSync(join(scratch, "cache"), 0o500);
    const { output } = await start(["once", "one", "0"], { userId: nobody });
    expect(output).toBe("cache_write_failed: not_permitted");
    expect(readFileSync(path, "utf8")).toBe(before);
    expect(readdirSync(join(scratch, "cache"))).toEqual(["cache.json"]);
  });

  test("is told when it may not make the folder [C09]", async () => {
    chmodSync(scratch, 0o500);
    const { output } = await start(["once", "one", "0"], { userId: nobody });
    expect(output).toBe("cache_write_failed: not_permitted");
  });

  test("refuses a folder of another user that it cannot even open [C02]", async () => {
    mkdirSync(join(scratch, "cache"), { mode: 0o700 });
    const { output } = await start(["once", "one", "0"], { userId: nobody });
    expect(output).toBe("cache_insecure: undefined");
  });
});
