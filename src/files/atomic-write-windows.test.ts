// A save where a rename may be refused for a moment, with the system's part injected. Changes when the retries do.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Clock } from "../core/clock.ts";
import { isOidcError } from "../core/errors.ts";
import { writeFileAtomically } from "./atomic-write.ts";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-rename-"));
  path = join(folder, "cache.json");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isOidcError(error)) return error.code;
    throw error;
  }
  throw new Error("nothing was thrown");
}

describe("renaming on Windows", () => {
  /** A clock that moves only when somebody sleeps. */
  function steppedClock(): Clock {
    let time = 0;
    return {
      now: () => time,
      monotonic: () => time,
      sleep: (milliseconds) => {
        time += milliseconds;
        return Promise.resolve();
      },
    };
  }

  const busy = (code: string): Error => Object.assign(new Error("in use"), { code });

  test.each(["EPERM", "EBUSY", "EACCES"])(
    "waits while a scanner holds the file (%s) [C15]",
    async (code) => {
      let refusals = 5;
      await writeFileAtomically(path, "new", {
        platform: "win32",
        clock: steppedClock(),
        rename: async (from, to) => {
          refusals -= 1;
          if (refusals >= 0) throw busy(code);
          await rename(from, to);
        },
      });
      expect(readFileSync(path, "utf8")).toBe("new");
    },
  );

  test("gives up after two seconds, with the old file in place [C15]", async () => {
    await writeFileAtomically(path, "old");
    const clock = steppedClock();
    const code = await codeOf(
      writeFileAtomically(path, "new", {
        platform: "win32",
        clock,
        rename: () => Promise.reject(busy("EBUSY")),
      }),
    );
    expect(code).toBe("cache_write_failed");
    expect(clock.monotonic()).toBe(2000);
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(folder)).toEqual(["cache.json"]);
  });

  test("fails at once for another fault, and elsewhere for this one", async () => {
    const clock = steppedClock();
    for (const [platform, code] of [
      ["win32", "ENOSPC"],
      ["linux", "EPERM"],
    ] as const) {
      const failure = await codeOf(
        writeFileAtomically(path, "new", {
          platform,
          clock,
          rename: () => Promise.reject(busy(code)),
        }),
      );
      expect(failure).toBe("cache_write_failed");
    }
    expect(clock.monotonic()).toBe(0);
  });
});
