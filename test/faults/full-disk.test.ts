// A disk that is full, read-only or without power, under the store and under the built command line. Changes when such
// a disk does something else.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { desk, provider } from "../e2e/harness.ts";
import { needs } from "../support/debian-packages.ts";
import type { SmallDisk } from "../support/fault-disk.ts";
import {
  canMountMemoryDisk,
  canMountPowerCutDisk,
  mountMemoryDisk,
  mountPowerCutDisk,
} from "../support/fault-disk.ts";
import { startFaultProcess } from "../support/fault-process.ts";
import { mayBeReported } from "../support/fault-rounds.ts";
import type { Scene } from "../support/fault-scenes.ts";
import {
  leftoversBelow,
  openToOthersBelow,
  setScene,
  writingScenes,
} from "../support/fault-scenes.ts";
import type { FaultResult } from "../support/fault-worker.ts";

// Many processes in turn; on a busy machine each of them takes its time.
vi.setConfig({ testTimeout: 60_000 });

const hasMemoryDisk = canMountMemoryDisk();
const hasPowerCutDisk = canMountPowerCutDisk();
// prlimit comes with the same package.
const hasLimits = needs("unshare").available;

async function resultOf(answer: Promise<FaultResult | undefined>): Promise<FaultResult> {
  const result = await answer;
  if (result === undefined) throw new Error("the process ended");
  return result;
}

/** The step of a save at which the disk was full, as the system calls it; "" where it was not. */
function failedStep(result: FaultResult): string {
  if (result.outcome === "done") return "";
  expect([result.outcome, result.code, result.reason]).toEqual([
    "oidc_error",
    "cache_write_failed",
    "disk_full",
  ]);
  return /ENOSPC: no space left on device, (\w+)/.exec(result.text)?.[1] ?? result.text;
}

function sceneNamed(part: string): Scene {
  const found = writingScenes.find(({ name }) => name.includes(part));
  if (found === undefined) throw new Error(`no scene ${part}`);
  return found;
}

/** False where even the old record has no room. */
function canSet(scene: Scene, path: string): boolean {
  try {
    setScene(scene, path);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasMemoryDisk)("a full disk in memory (needs root to mount one)", () => {
  test.each(writingScenes.map((scene) => [scene.name, scene] as const))(
    "%s: the old or the new record, at every level [C09]",
    async (_name, scene) => {
      const disk = mountMemoryDisk("128k");
      onTestFinished(() => disk.unmount());
      const faultProcess = await startFaultProcess();
      onTestFinished(() => faultProcess.end());
      for (const freeBlocks of [20, 8, 6, 5, 4, 3, 2, 1, 0]) {
        disk.empty();
        setScene(scene, disk.path);
        disk.fillUpTo(freeBlocks);
        const result = await resultOf(faultProcess.tell(scene.command(disk.path)));
        const found = scene.find(disk.path);
        const isDone = failedStep(result) === "";
        const isTrue = isDone ? mayBeReported(scene, found, result) : found === "old";
        expect([freeBlocks, isDone, found, isTrue]).toEqual([freeBlocks, isDone, found, true]);
        expect(leftoversBelow(disk.path)).toEqual([]);
        expect(openToOthersBelow(disk.path)).toEqual([]);
      }
    },
  );

  test("no room for one more file: the old record stays, and nothing is half made [C09]", async () => {
    const faultProcess = await startFaultProcess();
    onTestFinished(() => faultProcess.end());
    const steps = new Set<string>();
    for (const scene of writingScenes.filter(({ name }) => /one of three|^writes/.test(name))) {
      for (let files = 3; files <= 9; files += 1) {
        const disk = mountMemoryDisk("256k", files);
        try {
          if (!canSet(scene, disk.path)) continue;
          const step = failedStep(await resultOf(faultProcess.tell(scene.command(disk.path))));
          steps.add(step);
          expect(scene.find(disk.path)).toBe(step === "" ? "new" : "old");
          expect(leftoversBelow(disk.path)).toEqual([]);
        } finally {
          disk.unmount();
        }
      }
    }
    expect([...steps].toSorted()).toEqual(["", "mkdir", "open"]);
  });
});

test.skipIf(!hasLimits)(
  "a limit on file sizes that cuts the write short: the old record stays [C09]",
  async () => {
    const root = mkdtempSync(join(tmpdir(), "latchkey-faults-"));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    const scene = sceneNamed("one of three");
    setScene(scene, root);
    const faultProcess = await startFaultProcess();
    onTestFinished(() => faultProcess.end());
    // Less than the file has: the kernel takes the first part of it, then answers EFBIG.
    const limit = ["--pid", String(faultProcess.processId), "--fsize=6000"];
    expect(spawnSync("prlimit", limit).status).toBe(0);
    const result = await resultOf(faultProcess.tell(scene.command(root)));
    expect([result.code, result.reason]).toEqual(["cache_write_failed", "disk_full"]);
    expect(result.text).toContain("Raise it (ulimit -f)");
    expect([scene.find(root), leftoversBelow(root)]).toEqual(["old", []]);
  },
);

test.skipIf(!hasPowerCutDisk)(
  "a full disk with blocks that are given out late: the old or the new record [C09]",
  async () => {
    const disk = mountPowerCutDisk(4);
    onTestFinished(() => disk.unmount());
    const faultProcess = await startFaultProcess();
    onTestFinished(() => faultProcess.end());
    const scene = sceneNamed("one of three");
    const seen = new Set<string>();
    for (const freeBlocks of [100, 45, 20, 2, 0]) {
      disk.empty();
      setScene(scene, disk.path);
      disk.settle();
      disk.fillUpTo(freeBlocks);
      const step = failedStep(await resultOf(faultProcess.tell(scene.command(disk.path))));
      seen.add(step === "" ? "done" : "failed");
      const wanted = step === "" ? "new" : "old";
      expect([freeBlocks, scene.find(disk.path)]).toEqual([freeBlocks, wanted]);
      expect([freeBlocks, disk.afterPowerCut((path) => scene.find(path))]).toEqual([
        freeBlocks,
        wanted,
      ]);
      expect(leftoversBelow(disk.path)).toEqual([]);
    }
    expect([...seen]).toEqual(["done", "failed"]);
  },
);

test
  .skipIf(!hasPowerCutDisk)
  .each(
    writingScenes
      .filter(({ name }) => /one of three|^writes the first|the only/.test(name))
      .map((scene) => [scene.name, scene] as const),
  )("%s: what was reported as done survives a power cut [C07]", async (_name, scene) => {
  const disk = mountPowerCutDisk(4);
  onTestFinished(() => disk.unmount());
  const faultProcess = await startFaultProcess();
  onTestFinished(() => faultProcess.end());
  setScene(scene, disk.path);
  disk.settle();
  expect(await faultProcess.tell(scene.command(disk.path))).toMatchObject({ outcome: "done" });
  expect(disk.afterPowerCut((path) => scene.find(path))).toBe("new");
});

describe.skipIf(!hasMemoryDisk)(
  "the command line on a small disk (needs root to mount one)",
  () => {
    let disk: SmallDisk;

    beforeEach(() => {
      disk = mountMemoryDisk("256k");
    });

    afterEach(() => {
      disk.unmount();
    });

    /** A signed-in desk whose state folder is the small disk. */
    async function signedIn() {
      const at = await desk();
      // The old refresh token stays good, so that each step of a test begins alike.
      const identityProvider = await provider({ rotateRefreshTokens: false });
      const flags = at.flags(identityProvider);
      const options = { env: { XDG_STATE_HOME: disk.path } };
      const login = await at.run(["login", ...flags], options);
      expect([login.code, login.stderr]).toEqual([0, expect.stringContaining("Signed in")]);
      const folder = join(disk.path, "latchkey");
      const cacheFile = (): string => {
        const [name, ...more] = readdirSync(folder).filter((file) =>
          /^[0-9a-f]{32}\.json$/.test(file),
        );
        expect(more).toEqual([]);
        return name === undefined ? "" : readFileSync(join(folder, name), "utf8");
      };
      return { at, identityProvider, flags, options, cacheFile };
    }

    test("a refresh that cannot be stored: the token, a warning, and the old record stays [C09]", async () => {
      const { at, identityProvider, flags, options, cacheFile } = await signedIn();
      const before = cacheFile();
      const outcomes = new Set<string>();
      for (const freeBlocks of [20, 1, 0]) {
        disk.empty();
        disk.fillUpTo(freeBlocks);
        const { code, stdout, stderr } = await at.run(
          ["token", "--force-refresh", ...flags],
          options,
        );
        expect(code).toBe(0);
        expect(identityProvider.secretsIssued()).toContain(stdout.trim());
        expect(before).not.toContain(stdout.trim());
        const isStored = cacheFile().includes(stdout.trim());
        outcomes.add(isStored ? "stored" : "not stored");
        const warning = isStored ? /^$/ : /the disk is full or your quota is used up/;
        expect(stderr).toMatch(warning);
        expect(stderr).not.toContain(isStored ? "warning" : stdout.trim());
        expect(leftoversBelow(disk.path)).toEqual([]);
      }
      expect([...outcomes]).toEqual(["stored", "not stored"]);
    });

    test("login fails where the sign-in cannot be stored, and keeps the old one; logout works [C09]", async () => {
      const { at, flags, options, cacheFile } = await signedIn();
      const before = cacheFile();
      disk.fillUpTo(0);
      const login = await at.run(["login", ...flags], options);
      expect([login.code, login.stdout]).toEqual([1, ""]);
      expect(login.stderr).toMatch(/\[cache_write_failed: disk_full\]\n$/);
      expect(cacheFile()).toBe(before);
      expect(leftoversBelow(disk.path)).toEqual([]);
      const token = await at.run(["token", "--no-interactive", ...flags], options);
      expect([token.code, token.stderr]).toEqual([0, ""]);
      expect(before).toContain(token.stdout.trim());
      const logout = await at.run(["logout", ...flags], options);
      expect(logout.code).toBe(0);
      expect(cacheFile()).toBe("");
    });

    test("the first token of all on a full disk: the token and a warning [C09]", async () => {
      const at = await desk();
      const identityProvider = await provider();
      disk.fillUpTo(0);
      const { code, stdout, stderr } = await at.run(["token", ...at.flags(identityProvider)], {
        env: { XDG_STATE_HOME: disk.path },
      });
      expect(identityProvider.secretsIssued()).toContain(stdout.trim());
      expect([code, stderr]).toEqual([0, expect.stringContaining("could not be stored")]);
      expect(leftoversBelow(disk.path)).toEqual([]);
    });

    test("a disk that becomes read-only during the token request: the token and a warning [C09]", async () => {
      const { at, identityProvider, flags, options, cacheFile } = await signedIn();
      const before = cacheFile();
      identityProvider.tamper({
        path: "token",
        times: 1,
        respond: async (_request, genuine) => {
          disk.setReadOnly(true);
          return genuine();
        },
      });
      const { code, stdout, stderr } = await at.run(
        ["token", "--force-refresh", ...flags],
        options,
      );
      expect(code).toBe(0);
      expect(identityProvider.secretsIssued()).toContain(stdout.trim());
      expect(before).not.toContain(stdout.trim());
      expect(stderr).toContain("the file system is read-only");
      // Where the intent to refresh was written before, the record differs by it alone.
      expect(cacheFile()).toContain(/"token":"[^"]+"/.exec(before)?.[0]);
      const login = await at.run(["login", ...flags], options);
      expect([login.code, login.stderr]).toEqual([
        1,
        expect.stringMatching(/\[cache_write_failed: read_only\]\n$/),
      ]);
      disk.setReadOnly(false);
      const status = await at.run(["status", "--json", ...flags], options);
      expect(JSON.parse(status.stdout)).toMatchObject([{ refreshable: true }]);
    });
  },
);
