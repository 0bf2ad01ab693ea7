// The pins' file under real processes: many at once, and another user's. Changes when what processes share does.
import { spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { bundleModule } from "../../test/support/bundle-module.ts";
import { byLane } from "../../test/support/lane.ts";
import { formatPinFile, parsePinFile } from "./pin-file.ts";

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;
const crowd = byLane(16, 4);

let bundle: string;
let scratch: string;
let folder: string;
let file: string;

beforeAll(async () => {
  bundle = await bundleModule(
    fileURLToPath(new URL("../../test/support/trust-worker.ts", import.meta.url)),
  );
  // For the children that run as another user.
  chmodSync(dirname(bundle), 0o755);
});

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-pins-"));
  chmodSync(scratch, 0o755);
  folder = join(scratch, "latchkey");
  file = join(folder, "servers.json");
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** What a child says. */
function run(words: readonly string[], userId?: number): Promise<string> {
  const [work = "", ...rest] = words;
  const child = spawn(process.execPath, [bundle, work, folder, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
    cwd: "/",
    ...(userId === undefined ? {} : { uid: userId, gid: userId }),
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(output) : reject(new Error(output))));
  });
}

function serversInFile(): readonly string[] {
  const read = parsePinFile(readFileSync(file, "utf8"));
  if (read.state !== "pins") throw new Error(read.state);
  return read.pins.map(({ server }) => server);
}

test(`${String(crowd)} processes that pin at once lose nothing`, async () => {
  const names = Array.from({ length: crowd }, (_process, at) => `host${String(at)}`);
  const said = await Promise.all(names.map((name) => run(["pin", name, "4"])));
  expect(said.join("")).toBe("");
  expect(serversInFile().toSorted()).toEqual(
    names
      .flatMap((name) => [0, 1, 2, 3].map((at) => `https://${name}-${String(at)}.example.com`))
      .toSorted(),
  );
  expect(readdirSync(folder).filter((name) => name.includes("servers"))).toEqual(["servers.json"]);
}, 60_000);

test(`${String(crowd)} processes that would ask about one server: one question`, async () => {
  const said = await Promise.all(Array.from({ length: crowd }, () => run(["ask"])));
  const lines = said.join("").trim().split("\n");
  expect(lines.filter((line) => line === "asked")).toHaveLength(1);
  expect(lines.filter((line) => line === "person")).toHaveLength(crowd);
}, 60_000);

describe.skipIf(!isRoot)("another user of the machine (needs root to be one)", () => {
  const planted = formatPinFile([
    {
      server: "https://data.example.com",
      issuer: "https://login.evil.example",
      clientId: "graph-cli",
      audience: undefined,
      scopes: ["openid"],
      acceptedBy: "person",
      pinnedAt: 0,
    },
  ]);

  test("cannot plant pins, in a folder of theirs or in one that they may write [C02]", async () => {
    for (const [folderOwner, folderMode, fileOwner, fileMode] of [
      [0, 0o700, nobody, 0o600],
      [nobody, 0o700, nobody, 0o600],
      [0, 0o777, nobody, 0o644],
      [0, 0o777, 0, 0o600],
      [0, 0o700, 0, 0o666],
    ] as const) {
      mkdirSync(folder, { mode: 0o700 });
      writeFileSync(file, planted);
      chownSync(file, fileOwner, fileOwner);
      chmodSync(file, fileMode);
      chownSync(folder, folderOwner, folderOwner);
      chmodSync(folder, folderMode);
      // Not as never seen, either: with a client of the caller's that would be accepted unseen.
      expect(await run(["silent"])).toBe("issuer_untrusted pins_unusable cache_insecure\n");
      expect(readFileSync(file, "utf8")).toBe(planted);
      rmSync(folder, { recursive: true });
    }
  });

  test("cannot read or change somebody's pins [C01]", async () => {
    expect(await run(["silent"])).toBe("first-use\n");
    const before = readFileSync(file, "utf8");
    expect(await run(["silent"], nobody)).toMatch(/^issuer_untrusted pins_unusable cache_/);
    expect(await run(["pin", "evil", "1"], nobody)).toMatch(/^issuer_untrusted pins_unusable /);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("who may not write is told, and goes on with what was accepted", async () => {
    mkdirSync(folder, { mode: 0o500 });
    chownSync(folder, nobody, nobody);
    expect(await run(["silent"], nobody)).toBe("warned: cache_write_failed\nfirst-use\n");
    expect(await run(["ask"], nobody)).toBe("asked\nwarned: cache_write_failed\nperson\n");
  });
});
