// Changes when a file or folder is guarded in another way.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  constants,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { isOidcError } from "../core/errors.ts";
import type { UserFileRule } from "./secure-read.ts";
import { worded } from "../core/wording.ts";
import {
  checkPrivateFileSync,
  checkPrivateFolderSync,
  fileProblem,
  folderProblem,
  identityOf,
  isSameIdentity,
  readPrivateFileSync,
  readPrivateGuardedFileSync,
  readUserFileSync,
} from "./secure-read.ts";

const isRoot = process.geteuid?.() === 0;
const nobody = 65534;

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-read-"));
  path = join(folder, "secret.json");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function writePrivate(content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
}

/** The code, reason and message of what `work` throws; anything but an OidcError is thrown on. */
function failureOf(work: () => unknown): {
  code: string;
  reason: string | undefined;
  message: string;
} {
  try {
    work();
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { code: error.code, reason: error.reason, message: error.message };
  }
  throw new Error("nothing was thrown");
}

/**
 * A FIFO with a writer, so that a test whose guard is gone fails in place of waiting for ever; that nobody waits for
 * a writer is tested in a process of its own, in record/read-sync.test.ts.
 */
function withFifo(fifo: string, work: () => void): void {
  execFileSync("mkfifo", ["-m", "600", fifo]);
  const writer = openSync(fifo, constants.O_RDWR);
  try {
    work();
  } finally {
    closeSync(writer);
  }
}

function read(): string | undefined {
  return readPrivateFileSync(path, 1000)?.toString("utf8");
}

describe("a private file", () => {
  test("is read whole", () => {
    writePrivate("hello");
    expect(read()).toBe("hello");
  });

  test("that is empty is empty, not absent", () => {
    writePrivate("");
    expect(read()).toBe("");
  });

  test("that is absent is undefined, with or without its folder", () => {
    expect(read()).toBeUndefined();
    expect(readPrivateFileSync(join(folder, "none", "secret.json"), 1000)).toBeUndefined();
  });

  test.each(["604", "640", "620", "602", "610", "601"])(
    "of mode %s is refused, and the message says what to type [C02]",
    (mode) => {
      writePrivate("hello");
      chmodSync(path, Number.parseInt(mode, 8));
      const { code, message } = failureOf(read);
      expect(code).toBe("cache_insecure");
      expect(message).toContain(`chmod 600 ${path}`);
      expect(message).not.toContain("hello");
    },
  );

  test.skipIf(!isRoot)("of another user is refused (needs root to make one) [C02]", () => {
    writePrivate("hello");
    chownSync(path, nobody, nobody);
    const { code, message } = failureOf(read);
    expect(code).toBe("cache_insecure");
    expect(message).toContain(`user ${nobody}`);
    // Given to root it would be lost to its owner (F-T5).
    expect(message).not.toContain("chown");
    const problem = fileProblem(path, statSync(path), "private", 12_345);
    expect(worded(problem?.remedy ?? [])).toBe(`Type: sudo chown 12345 ${path}`);
  });

  test("that is a symbolic link is refused, and its target is not read [C03]", () => {
    const target = join(folder, "target");
    writeFileSync(target, "hello", { mode: 0o600 });
    symlinkSync(target, path);
    const { code, message } = failureOf(read);
    expect(code).toBe("cache_insecure");
    expect(message).toContain(`rm ${path}`);
  });

  test("that has a second name is refused [C04]", () => {
    writePrivate("hello");
    linkSync(path, join(folder, "second"));
    expect(failureOf(read).code).toBe("cache_insecure");
  });

  test("that is a FIFO is refused [C04]", () => {
    withFifo(path, () => expect(failureOf(read).code).toBe("cache_insecure"));
  });

  test("that is a folder is refused [C04]", () => {
    mkdirSync(path, { mode: 0o700 });
    expect(failureOf(read).code).toBe("cache_insecure");
  });

  test("that is a socket is refused [C04]", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      expect(failureOf(read).code).toBe("cache_insecure");
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  test.skipIf(!isRoot)("that is a device is refused (needs root to make one) [C04]", () => {
    execFileSync("mknod", ["-m", "600", path, "c", "1", "5"]);
    expect(failureOf(read).code).toBe("cache_insecure");
  });

  test("of exactly the longest length is read, one byte more is not [C08]", () => {
    writePrivate("x".repeat(1000));
    expect(read()).toHaveLength(1000);
    writePrivate("x".repeat(1001));
    expect(failureOf(read)).toMatchObject({ code: "cache_unreadable", reason: "too_large" });
  });

  test("whose path has a quote and a space can be pasted into a shell as the message says", () => {
    path = join(folder, "it's mine.json");
    writePrivate("hello");
    chmodSync(path, 0o644);
    const command = /It was not used\. Type: (.*)$/.exec(failureOf(read).message)?.[1];
    execFileSync("sh", ["-c", command ?? "false"]);
    expect(read()).toBe("hello");
  });

  test("that is replaced between opening and looking is the old one, whole [C07]", () => {
    writePrivate("old");
    const descriptor = openSync(path, constants.O_RDONLY);
    writeFileSync(join(folder, "next"), "new", { mode: 0o600 });
    renameSync(join(folder, "next"), path);
    try {
      const stats = statSync(`/proc/self/fd/${descriptor}`);
      expect(stats.nlink).toBe(0);
      expect(fileProblem(path, stats, "private", process.geteuid?.())).toBeUndefined();
    } finally {
      closeSync(descriptor);
    }
  });

  test("has another identity after it was replaced, and the same while it was not", () => {
    writePrivate("one");
    const before = readPrivateGuardedFileSync(path, 10)?.identity;
    expect(isSameIdentity(before, identityOf(statSync(path)))).toBe(true);
    writeFileSync(join(folder, "next"), "two", { mode: 0o600 });
    renameSync(join(folder, "next"), path);
    expect(isSameIdentity(before, identityOf(statSync(path)))).toBe(false);
    expect(isSameIdentity(before, undefined)).toBe(false);
    expect(isSameIdentity(undefined, undefined)).toBe(true);
  });

  test("is judged without being read", () => {
    expect(checkPrivateFileSync(path)).toBeUndefined();
    writePrivate("x".repeat(5000));
    expect(checkPrivateFileSync(path)?.size).toBe(5000);
    chmodSync(path, 0o644);
    expect(failureOf(() => checkPrivateFileSync(path)).code).toBe("cache_insecure");
  });

  test("leaves no descriptor open, whatever happens", () => {
    // Of this test's own folder: other files run in other threads of this process.
    const isOfThis = (name: string): boolean => {
      try {
        return readlinkSync(`/proc/self/fd/${name}`).startsWith(folder);
      } catch {
        // Closed meanwhile, by another thread.
        return false;
      }
    };
    const open = (): number => readdirSync("/proc/self/fd").filter(isOfThis).length;
    writePrivate("hello");
    const held = openSync(path, constants.O_RDONLY);
    expect(open()).toBe(1);
    closeSync(held);
    read();
    chmodSync(path, 0o644);
    failureOf(read);
    chmodSync(folder, 0o755);
    failureOf(read);
    chmodSync(folder, 0o700);
    expect(open()).toBe(0);
  });
});

describe("a private folder", () => {
  test.each(["701", "710", "720", "755", "777"])("of mode %s is refused [C02]", (mode) => {
    writePrivate("hello");
    chmodSync(folder, Number.parseInt(mode, 8));
    const { code, message } = failureOf(read);
    expect(code).toBe("cache_insecure");
    expect(message).toContain(`chmod 700 ${folder}`);
  });

  test.skipIf(!isRoot)("of another user is refused (needs root to make one) [C02]", () => {
    writePrivate("hello");
    chownSync(folder, nobody, nobody);
    expect(failureOf(read).code).toBe("cache_insecure");
  });

  test("may be reached by a link: what it leads to is judged", () => {
    writePrivate("hello");
    const link = `${folder}-link`;
    symlinkSync(folder, link);
    try {
      expect(readPrivateFileSync(join(link, "secret.json"), 10)?.toString()).toBe("hello");
      chmodSync(folder, 0o750);
      expect(failureOf(() => readPrivateFileSync(join(link, "secret.json"), 10)).code).toBe(
        "cache_insecure",
      );
    } finally {
      rmSync(link);
    }
  });

  test("is told apart from an absent one, and from a file", () => {
    expect(checkPrivateFolderSync(folder)).toBe("private");
    expect(checkPrivateFolderSync(join(folder, "none"))).toBe("absent");
    writePrivate("hello");
    expect(failureOf(() => checkPrivateFolderSync(path)).code).toBe("cache_unreadable");
  });
});

describe("a file that the user wrote", () => {
  const rule: UserFileRule = {
    what: "configuration file",
    maxBytes: 100,
    code: "invalid_option",
  };

  test("may be readable by others and reached by a link", () => {
    writeFileSync(path, "hello", { mode: 0o644 });
    symlinkSync(path, join(folder, "link"));
    expect(readUserFileSync(join(folder, "link"), rule)?.toString()).toBe("hello");
    expect(readUserFileSync(join(folder, "none"), rule)).toBeUndefined();
  });

  test.each(["664", "646", "666"])("of mode %s is refused with the caller's code", (mode) => {
    writeFileSync(path, "hello");
    chmodSync(path, Number.parseInt(mode, 8));
    const { code, message } = failureOf(() => readUserFileSync(path, rule));
    expect(code).toBe("invalid_option");
    expect(message).toContain(`chmod go-w ${path}`);
    expect(message).toContain("configuration file");
  });

  test.skipIf(!isRoot)("of a third user is refused, of root is not (needs root)", () => {
    writeFileSync(path, "hello", { mode: 0o644 });
    chownSync(path, nobody, nobody);
    expect(failureOf(() => readUserFileSync(path, rule)).code).toBe("invalid_option");
    chownSync(path, 0, 0);
    expect(fileProblem(path, statSync(path), "user", nobody)).toBeUndefined();
  });

  test("is bounded, and no FIFO", () => {
    const open: UserFileRule = { ...rule, code: "ca_bundle_invalid" };
    writeFileSync(path, "x".repeat(101));
    expect(failureOf(() => readUserFileSync(path, open))).toMatchObject({
      code: "ca_bundle_invalid",
      reason: "too_large",
    });
    const fifo = join(folder, "fifo");
    withFifo(fifo, () =>
      expect(failureOf(() => readUserFileSync(fifo, open)).code).toBe("ca_bundle_invalid"),
    );
  });

  test("that lies about its length is read to its end, within the bound", () => {
    // Files in /proc have size 0 and content.
    const version = readUserFileSync("/proc/version", {
      ...rule,
      maxBytes: 4096,
    });
    expect(version?.toString()).toContain("Linux");
    expect(
      failureOf(() => readUserFileSync("/proc/version", { ...rule, maxBytes: 5 })).reason,
    ).toBe("too_large");
  });
});

test("asks nothing of owner and mode where the system has none (Windows)", () => {
  writeFileSync(path, "hello");
  chmodSync(path, 0o666);
  expect(fileProblem(path, statSync(path), "private", undefined)).toBeUndefined();
  expect(folderProblem(folder, statSync(tmpdir()), undefined)).toBeUndefined();
  linkSync(path, join(folder, "second"));
  expect(fileProblem(path, statSync(path), "private", undefined)?.what).toContain("hard links");
});
