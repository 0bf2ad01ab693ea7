// Changes when a step of a save does.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  closeSync,
  constants as flags,
  linkSync,
  lstatSync,
  mkdirSync,
  lutimesSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { processNamespace } from "./processes.ts";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import { ensurePrivateFolder, removePrivateFile, writeFileAtomically } from "./atomic-write.ts";

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-write-"));
  path = join(folder, "cache.json");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function modeOf(file: string): string {
  return (lstatSync(file).mode & 0o7777).toString(8);
}

async function failureOf(
  work: Promise<unknown>,
): Promise<{ code: string; reason: string | undefined }> {
  try {
    await work;
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { code: error.code, reason: error.reason };
  }
  throw new Error("nothing was thrown");
}

async function withUmask<Result>(umask: number, work: () => Promise<Result>): Promise<Result> {
  const before = process.umask(umask);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}

describe("a save", () => {
  test("writes and replaces the whole content, and leaves nothing else", async () => {
    expect(await writeFileAtomically(path, "first, and longer")).toBe(true);
    expect(await writeFileAtomically(path, Buffer.from("second"))).toBe(true);
    expect(readFileSync(path, "utf8")).toBe("second");
    expect(readdirSync(folder)).toEqual(["cache.json"]);
  });

  test.each(["0", "022", "277", "777"])(
    "makes file 0600 and every new folder 0700 under umask %s [C01]",
    async (umask) => {
      const deep = join(folder, "a", "b", "c");
      const modes: string[] = [];
      await withUmask(Number.parseInt(umask, 8), () =>
        writeFileAtomically(join(deep, "cache.json"), "secret", {
          // What others could see just before the file appears under its name.
          onlyIf: () => {
            modes.push(...readdirSync(deep).map((name) => modeOf(join(deep, name))));
            return true;
          },
        }),
      );
      expect(modes).toEqual(["600"]);
      expect(modeOf(join(deep, "cache.json"))).toBe("600");
      for (const made of ["a", "a/b", "a/b/c"]) expect(modeOf(join(folder, made))).toBe("700");
    },
  );

  test("never has its content in a file that others may read, not for an instant [C01]", async () => {
    // Created with 0600, not created and then narrowed: with umask 0 the mode of creation is what the call asks for.
    const log = join(folder, "trace");
    const script = `
      const fs = require("node:fs");
      const open = fs.promises.open;
      const seen = [];
      fs.promises.open = async (...list) => { const handle = await open(...list);
        if ((list[1] & fs.constants.O_CREAT) !== 0) seen.push((await handle.stat()).mode & 0o777); return handle; };
      process.umask(0);
      import(process.argv[1]).then((m) => m.writeFileAtomically(process.argv[2], "secret"))
        .then(() => fs.writeFileSync(process.argv[3], JSON.stringify(seen)));
    `;
    const { build } = await import("rolldown");
    const bundle = join(folder, "bundle.mjs");
    await build({
      input: join(import.meta.dirname, "atomic-write.ts"),
      platform: "node",
      logLevel: "silent",
      output: { file: bundle, format: "esm" },
    });
    execFileSync(process.execPath, ["-e", script, bundle, path, log]);
    expect(JSON.parse(readFileSync(log, "utf8"))).toEqual([0o600]);
  });

  test("refuses a folder that is open to others, and changes nothing [C02]", async () => {
    chmodSync(folder, 0o755);
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(!isRoot)("refuses file and folder of another user (needs root) [C02]", async () => {
    writeFileSync(path, "theirs", { mode: 0o600 });
    chownSync(path, nobody, nobody);
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    rmSync(path);
    chownSync(folder, nobody, nobody);
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("refuses an existing file that is open to others [C02]", async () => {
    writeFileSync(path, "old");
    chmodSync(path, 0o644);
    expect(await failureOf(writeFileAtomically(path, "new"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("refuses a symbolic link in place of the file and leaves its target alone [C03]", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "precious", { mode: 0o600 });
    symlinkSync(target, path);
    expect(await failureOf(writeFileAtomically(path, "new"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect(lstatSync(path).isSymbolicLink()).toBe(true);
  });

  test("refuses a dangling link too, and does not create its target [C03]", async () => {
    symlinkSync(join(folder, "target"), path);
    expect(await failureOf(writeFileAtomically(path, "new"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readdirSync(folder)).toEqual(["cache.json"]);
  });

  test("does not follow or reuse what lies at the temporary file's name [C03]", async () => {
    const target = join(folder, "target");
    writeFileSync(target, "precious", { mode: 0o600 });
    const planted = join(
      folder,
      `.cache.json.latchkey-${String(process.pid)}-${processNamespace() ?? "0"}-${"00".repeat(8)}.tmp`,
    );
    symlinkSync(target, planted);
    const failure = await failureOf(
      writeFileAtomically(path, "new", { randomBytes: (length) => new Uint8Array(length) }),
    );
    expect(failure.code).toBe("cache_write_failed");
    expect(readFileSync(target, "utf8")).toBe("precious");
    expect(lstatSync(planted).isSymbolicLink()).toBe(true);
  });

  test("refuses a hard link, a FIFO and a folder in place of the file [C04]", async () => {
    const other = join(folder, "other");
    writeFileSync(other, "precious", { mode: 0o600 });
    linkSync(other, path);
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    rmSync(path);
    execFileSync("mkfifo", ["-m", "600", path]);
    // A writer, so that this test fails where the guard is gone, in place of waiting for ever.
    const writer = openSync(path, flags.O_RDWR);
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    closeSync(writer);
    rmSync(path);
    mkdirSync(path, { mode: 0o700 });
    expect(await failureOf(writeFileAtomically(path, "x"))).toMatchObject({
      code: "cache_insecure",
    });
    expect(readFileSync(other, "utf8")).toBe("precious");
  });

  test("that is called off at the last moment changes nothing and leaves no temporary file", async () => {
    await writeFileAtomically(path, "old");
    expect(await writeFileAtomically(path, "new", { onlyIf: () => false })).toBe(false);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["cache.json"]);
  });

  test("that fails at the rename leaves the old file and no temporary one [C09]", async () => {
    await writeFileAtomically(path, "old");
    const failure = await failureOf(
      writeFileAtomically(path, "new", {
        rename: () => Promise.reject(Object.assign(new Error("refused"), { code: "EIO" })),
      }),
    );
    expect(failure).toEqual({ code: "cache_write_failed", reason: "failed" });
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["cache.json"]);
  });

  test("says that the quota is used up, for which Node has no name [C09]", async () => {
    const refused = Object.assign(new Error("Unknown system error -122"), {
      errno: -constants.errno.EDQUOT,
      code: "Unknown system error -122",
    });
    const failure = await failureOf(
      writeFileAtomically(path, "new", { rename: () => Promise.reject(refused) }),
    );
    expect(failure).toEqual({ code: "cache_write_failed", reason: "disk_full" });
  });

  test("below a path that runs through a file says so", async () => {
    writeFileSync(path, "a file", { mode: 0o600 });
    const failure = await failureOf(writeFileAtomically(join(path, "below", "x.json"), "x"));
    expect(failure.code).toMatch(/^cache_(write_failed|unreadable)$/);
  });

  test("works for a file name as long as names can be, with odd characters", async () => {
    const odd = join(folder, "ü ".repeat(84));
    await writeFileAtomically(odd, "x");
    await writeFileAtomically(odd, "y");
    expect(readFileSync(odd, "utf8")).toBe("y");
    expect(readdirSync(folder)).toHaveLength(1);
  });
});

describe.skipIf(!isRoot)("on a file system of its own (needs root to mount one)", () => {
  let mounted: string;

  beforeEach(() => {
    mounted = join(folder, "mounted");
    mkdirSync(mounted, { mode: 0o700 });
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=0700", "none", mounted]);
  });

  afterEach(() => {
    execFileSync("umount", [mounted]);
  });

  test("a full disk keeps the old file, removes the temporary one and says so [C09]", async () => {
    const file = join(mounted, "cache.json");
    await writeFileAtomically(file, "old");
    const failure = await failureOf(writeFileAtomically(file, "x".repeat(200_000)));
    expect(failure).toEqual({ code: "cache_write_failed", reason: "disk_full" });
    expect(readFileSync(file, "utf8")).toBe("old");
    expect(readdirSync(mounted)).toEqual(["cache.json"]);
  });

  test("a read-only file system keeps the old file and says so [C09]", async () => {
    const file = join(mounted, "cache.json");
    await writeFileAtomically(file, "old");
    execFileSync("mount", ["-o", "remount,ro", mounted]);
    expect(await failureOf(writeFileAtomically(file, "new"))).toEqual({
      code: "cache_write_failed",
      reason: "read_only",
    });
    expect(await failureOf(ensurePrivateFolder(join(mounted, "below")))).toEqual({
      code: "cache_write_failed",
      reason: "read_only",
    });
    expect(await failureOf(removePrivateFile(file))).toEqual({
      code: "cache_write_failed",
      reason: "read_only",
    });
    expect(readFileSync(file, "utf8")).toBe("old");
  });
});

describe("leftovers of a process that died", () => {
  const hours = (count: number): Date => new Date(Date.now() - count * 3600 * 1000);

  function leave(name: string, age: Date): string {
    const file = join(folder, name);
    writeFileSync(file, "x", { mode: 0o600 });
    utimesSync(file, age, age);
    return name;
  }

  test("go with the next save after an hour; what is not exactly ours stays [C14]", async () => {
    const old = hours(2);
    leave(".cache.json.latchkey-0123456789abcdef.tmp", old);
    leave(".another.json.latchkey-0123456789abcdef.tmp", old);
    const kept = [
      leave(".cache.json.latchkey-fedcba9876543210.tmp", hours(0.5)),
      leave("cache.json.latchkey-0123456789abcdef.tmp", old),
      leave(".cache.json.latchkey-0123456789abcdef.tmp.txt", old),
      leave(".cache.json.latchkey-0123456789ABCDEF.tmp", old),
      leave(".cache.json.latchkey-0123.tmp", old),
      leave("report.tmp", old),
      leave("lock-id", old),
    ];
    mkdirSync(join(folder, ".folder.latchkey-0123456789abcdef.tmp"));
    utimesSync(join(folder, ".folder.latchkey-0123456789abcdef.tmp"), old, old);
    symlinkSync("report.tmp", join(folder, ".link.latchkey-0123456789abcdef.tmp"));
    lutimesSync(join(folder, ".link.latchkey-0123456789abcdef.tmp"), old, old);
    await writeFileAtomically(path, "x");
    expect(readdirSync(folder).toSorted()).toEqual(
      [
        ...kept,
        "cache.json",
        ".folder.latchkey-0123456789abcdef.tmp",
        ".link.latchkey-0123456789abcdef.tmp",
      ].toSorted(),
    );
  });

  test("of a deleted file go at once where nobody else can be saving it; others stay [C13]", async () => {
    await writeFileAtomically(path, "x");
    leave(".cache.json.latchkey-0123456789abcdef.tmp", hours(0));
    const other = leave(".another.json.latchkey-0123456789abcdef.tmp", hours(0));
    await removePrivateFile(path, { exclusive: true });
    expect(readdirSync(folder)).toEqual([other]);
  });

  test("go with a save where nobody else can be saving it; others stay [C13]", async () => {
    leave(".cache.json.latchkey-0123456789abcdef.tmp", hours(0));
    const other = leave(".another.json.latchkey-0123456789abcdef.tmp", hours(0));
    await writeFileAtomically(path, "x", { exclusive: true });
    expect(readdirSync(folder).toSorted()).toEqual([other, "cache.json"].toSorted());
  });

  test("stay at a deletion while somebody else may be saving", async () => {
    await writeFileAtomically(path, "x");
    const fresh = leave(".cache.json.latchkey-0123456789abcdef.tmp", hours(0));
    await removePrivateFile(path);
    expect(readdirSync(folder)).toEqual([fresh]);
  });
});

test("deleting what is absent is no fault, and makes nothing", async () => {
  await removePrivateFile(path);
  await removePrivateFile(join(folder, "none", "cache.json"), { exclusive: true });
  expect(readdirSync(folder)).toEqual([]);
});

describe("a folder of Latchkey's", () => {
  test("is made with all above it, by any number of callers at once", async () => {
    const deep = join(folder, "a", "b", "c");
    await Promise.all(Array.from({ length: 20 }, () => ensurePrivateFolder(deep)));
    expect(statSync(deep).isDirectory()).toBe(true);
    expect(modeOf(deep)).toBe("700");
  });

  test("that is there is not changed, only judged", async () => {
    chmodSync(folder, 0o750);
    expect(await failureOf(ensurePrivateFolder(folder))).toMatchObject({ code: "cache_insecure" });
    expect(modeOf(folder)).toBe("750");
    chmodSync(folder, 0o500);
    await ensurePrivateFolder(folder);
    expect(modeOf(folder)).toBe("500");
  });
});
