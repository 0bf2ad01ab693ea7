import { randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { OidcError } from "../core/errors.ts";
import { readLockIdentity } from "./lock-id.ts";
import type { LockIdentity } from "./lock-id.ts";

let root = "";
let folder = "";
let path = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "latchkey-lock-id-"));
  folder = join(root, "home", "state", "latchkey");
  path = join(folder, "lock-id");
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function read(from: string = folder): LockIdentity {
  return readLockIdentity(from, randomBytes);
}

function refusal(): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

test("makes 128 random bits once, for the user alone, in the folder it is given and nowhere else [C12]", () => {
  const before = statSync(tmpdir()).mtimeMs;
  const first = read();
  expect(first).toMatchObject({ state: "known", secret: expect.stringMatching(/^[0-9a-f]{32}$/) });
  expect(read()).toEqual(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  for (const made of [folder, join(root, "home", "state"), join(root, "home")]) {
    expect(statSync(made).mode & 0o777).toBe(0o700);
  }
  expect(before).toBeLessThanOrEqual(statSync(tmpdir()).mtimeMs);
});

test("keeps the modes whatever the umask allows", () => {
  const umask = process.umask(0);
  try {
    read();
  } finally {
    process.umask(umask);
  }
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test.each([
  ["nothing", ""],
  ["a part of the digits", "0123456789abcdef"],
  ["bytes that a power cut left", "\0".repeat(32)],
])("heals a file that holds %s, the same for all who find it", (_what, content) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path, content, { mode: 0o600 });
  const inode = statSync(path).ino;
  const healed = read();
  expect(healed).toMatchObject({ state: "known", inode });
  // Another process found the same and appended its digits a moment later.
  writeFileSync(path, randomBytes(16).toString("hex"), { flag: "a" });
  expect(read()).toEqual(healed);
});

test("two creators at the same moment read the same identity", () => {
  const appended = randomBytes(16);
  let other: LockIdentity | undefined;
  const mine = readLockIdentity(folder, () => {
    // The other process runs from start to end between this one's look and its own attempt to create.
    other = read();
    return appended;
  });
  expect(mine).toEqual(other);
  expect(readFileSync(path, "latin1")).toContain(appended.toString("hex"));
});

test("a copied folder is another lock, a moved one the same", () => {
  const first = read();
  cpSync(folder, `${folder}-copy`, { recursive: true });
  chmodSync(`${folder}-copy`, 0o700);
  expect(read(`${folder}-copy`)).not.toEqual(first);
  renameSync(folder, `${folder}-moved`);
  expect(read(`${folder}-moved`)).toEqual(first);
});

describe("refuses a file that other users can reach", () => {
  beforeEach(() => {
    read();
  });

  test("open to the group", () => {
    chmodSync(path, 0o640);
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
  });

  test("a folder open to others", () => {
    chmodSync(folder, 0o755);
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
  });

  test("a symbolic link, whose target stays untouched [C03]", () => {
    renameSync(path, join(root, "target"));
    symlinkSync(join(root, "target"), path);
    const before = readFileSync(join(root, "target"), "latin1");
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
    expect(readFileSync(join(root, "target"), "latin1")).toBe(before);
  });

  test("a symbolic link to nothing, which is not followed to make a file [C03]", () => {
    rmSync(path);
    symlinkSync(join(root, "target"), path);
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
    expect(() => lstatSync(join(root, "target"))).toThrow("ENOENT");
  });

  test("a hard link", () => {
    linkSync(path, join(root, "second"));
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
  });

  test("a FIFO, without hanging", () => {
    rmSync(path);
    execFileSync("mkfifo", ["-m", "600", path]);
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
  });

  test.runIf(process.getuid?.() === 0)("another user's", () => {
    chownSync(path, 12_345, 12_345);
    expect(refusal()).toMatchObject({ code: "cache_insecure" });
  });
});

test("what it checks, it checks on the file that it writes to", () => {
  // Between the look (absent) and the attempt to create, somebody puts a file there that others can read.
  const error = ((): unknown => {
    try {
      return readLockIdentity(folder, () => {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(path, "", { mode: 0o644 });
        return randomBytes(16);
      });
    } catch (thrown) {
      return thrown;
    }
  })();
  expect(error).toBeInstanceOf(OidcError);
  expect(error).toMatchObject({ code: "cache_insecure" });
  expect(readFileSync(path, "latin1")).toBe("");
});

test("follows no link that came between its look and its write [C03]", () => {
  const target = join(root, "target");
  writeFileSync(target, "", { mode: 0o600 });
  const identity = readLockIdentity(folder, () => {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    symlinkSync(target, path);
    return randomBytes(16);
  });
  expect(identity.state).toBe("unwritable");
  expect(readFileSync(target, "latin1")).toBe("");
});

test("says what is wrong where nothing can be written", () => {
  writeFileSync(join(root, "home"), "");
  expect(read()).toEqual({ state: "unwritable", path, why: "a part of the path is not a folder" });
});

test.runIf(process.platform === "linux")(
  "does not try for ever where no folder can be made",
  () => {
    // The parent is there, and the answer is ENOENT all the same.
    const identity = readLockIdentity("/proc/self/latchkey/state", (length) => randomBytes(length));
    expect(identity).toMatchObject({ state: "unwritable", why: "ENOENT" });
  },
);

test("leaves a file alone that it cannot have written", () => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(path, "-".repeat(5000), { mode: 0o600 });
  expect(read()).toMatchObject({ state: "unwritable", why: "it is not what Latchkey wrote" });
  writeFileSync(path, "-".repeat(4080), { mode: 0o600 });
  expect(read()).toMatchObject({ state: "unwritable" });
});

test("passes on what is no fault of the disk", () => {
  expect(() =>
    readLockIdentity(folder, () => {
      throw new TypeError("a bug");
    }),
  ).toThrow(TypeError);
});
