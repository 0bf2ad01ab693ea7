// Every use of the store, killed in every state of the disk, with an error at every one of its system calls; a power cut
// at each change; and the built command line, interrupted wherever it changes its files for good.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { desk, provider } from "../e2e/harness.ts";
import { runLatchkey } from "../support/command-line.ts";
import type { CommandResult } from "../support/command-line.ts";
import { isChange, withFault } from "../support/fault-calls.ts";
import { canMountPowerCutDisk, mountPowerCutDisk } from "../support/fault-disk.ts";
import { canTrace, startFaultProcess } from "../support/fault-process.ts";
import { faultsInTurn, killsInTurn, rehearse, runRounds } from "../support/fault-rounds.ts";
import {
  openToOthersBelow,
  readingScenes,
  setScene,
  writingScenes,
} from "../support/fault-scenes.ts";

const available = canTrace();
const hasPowerCutDisk = canMountPowerCutDisk();

describe.skipIf(!available)(
  "every change, and an error at every system call (needs strace)",
  () => {
    const scenes = [...writingScenes, ...readingScenes];

    test.each(scenes.map((scene, turn) => [scene.name, scene, turn] as const))(
      "%s [C07][C08][C09]",
      async (_name, scene, turn) => {
        const root = mkdtempSync(join(tmpdir(), "latchkey-faults-"));
        onTestFinished(() => rmSync(root, { recursive: true, force: true }));
        const { broken, calls, rounds } = await runRounds(scene, root, faultsInTurn(turn));
        expect(broken).toEqual([]);
        const changes = calls.filter(isChange).length;
        expect(calls.length).toBeGreaterThan(5);
        expect(rounds).toBeGreaterThanOrEqual(calls.length + changes);
      },
    );
  },
);

describe.skipIf(!available || !hasPowerCutDisk)(
  "a power cut at every change (needs strace, and root to mount a disk)",
  () => {
    test.each(writingScenes.map((scene) => [scene.name, scene] as const))(
      "%s: the old or the new record, whole [C07]",
      async (_name, scene) => {
        const disk = mountPowerCutDisk(4);
        onTestFinished(() => disk.unmount());
        const { calls, paths } = await rehearse(scene, disk.path);
        const broken: string[] = [];
        const changes = calls.filter(isChange);
        for (const call of changes) {
          for (const fault of killsInTurn(call, call === changes.at(-1))) {
            setScene(scene, disk.path);
            disk.settle();
            const faultProcess = await startFaultProcess();
            try {
              await withFault(faultProcess, scene.command(disk.path), call, paths, fault);
            } finally {
              await faultProcess.end();
            }
            try {
              disk.afterPowerCut((path) => scene.find(path));
            } catch (error) {
              broken.push(`${fault.kind} ${call.text.slice(0, 160)}: ${String(error)}`);
            }
          }
        }
        expect(broken).toEqual([]);
      },
    );

    test.each(writingScenes.map((scene) => [scene.name, scene] as const))(
      "%s: what was reported as done is there afterwards [C07]",
      async (_name, scene) => {
        const disk = mountPowerCutDisk(4);
        onTestFinished(() => disk.unmount());
        const faultProcess = await startFaultProcess();
        onTestFinished(() => faultProcess.end());
        setScene(scene, disk.path);
        disk.settle();
        const result = await faultProcess.tell(scene.command(disk.path));
        expect(result).toMatchObject({ outcome: "done" });
        // What was only set aside, or only serves the lock until the machine stops, need not last.
        const mustLast = ["save", "forget"].includes(scene.command("").work);
        const found = disk.afterPowerCut((path) => scene.find(path));
        expect(found).toMatch(mustLast ? /^new$/ : /^(old|new)$/);
      },
    );
  },
);

describe.skipIf(!available)("the command line (needs strace)", () => {
  const maxCalls = 40;
  // Only our own files are synced, renamed and deleted.
  const callNames = ["/^fsync$", "/^rename", "/^unlink"];

  /** A signed-in desk, whose commands meet a fault at each of those calls in turn. */
  async function signedIn(command: readonly string[], action: string) {
    const at = await desk();
    // The old refresh token stays good: what a lost new one means is another test's matter.
    const identityProvider = await provider({ rotateRefreshTokens: false });
    const flags = at.flags(identityProvider);
    const folder = join(at.home, ".local", "state", "latchkey");
    const cached = (): string => {
      const name = readdirSync(folder).find((file) => /^[0-9a-f]{32}\.json$/.test(file));
      return name === undefined ? "" : readFileSync(join(folder, name), "utf8");
    };
    const log = join(at.home, "strace.log");
    const hit = action.startsWith("signal") ? "killed by SIGKILL" : "(INJECTED)";
    /** Undefined where the command makes fewer of these calls. */
    const withFaultAt = async (name: string, count: number): Promise<CommandResult | undefined> => {
      const inject = `inject=${name}:${action}:when=${count}`;
      const result = await runLatchkey([...command, ...flags], {
        home: at.home,
        env: { UV_THREADPOOL_SIZE: "1" },
        through: ["strace", "-f", "--seccomp-bpf", "-o", log, "-e", `trace=${name}`, "-e", inject],
        timeoutMs: 120_000,
      });
      return readFileSync(log, "utf8").includes(hit) ? result : undefined;
    };
    /** Judges each round; before each, somebody is signed in. */
    const inTurn = async (
      judge: (result: CommandResult, before: string) => AsyncGenerator<string>,
    ): Promise<{ rounds: number; broken: readonly string[] }> => {
      const broken: string[] = [];
      let rounds = 0;
      for (const name of callNames) {
        for (let count = 1; count <= maxCalls; count += 1) {
          if (!existsSync(folder) || cached() === "") await at.run(["login", ...flags]);
          const before = cached();
          const result = await withFaultAt(name, count);
          if (result === undefined) break;
          rounds += 1;
          for await (const line of judge(result, before)) broken.push(`${name} ${count}: ${line}`);
        }
      }
      return { rounds, broken };
    };
    return { at, identityProvider, flags, folder, cached, inTurn };
  }

  const commands = ["token --force-refresh", "login", "logout"];

  test.each(commands)(
    "%s killed before a call: the next one finds the old or the new sign-in [C07]",
    async (text) => {
      const command = text.split(" ");
      const desktop = await signedIn(command, "signal=SIGKILL");
      const { at, identityProvider, flags, folder, cached, inTurn } = desktop;
      const { rounds, broken } = await inTurn(async function* judge() {
        for (const path of openToOthersBelow(folder)) yield `others may read ${path}`;
        const next = await at.run(["token", "--no-interactive", ...flags]);
        // A logout that took place before it was killed leaves nothing.
        const mayBeGone = text === "logout" && cached() === "";
        if (mayBeGone && next.code === 3) return;
        if (next.code !== 0 || next.stderr !== "") yield `${next.code} ${next.stderr}`;
        if (!identityProvider.secretsIssued().includes(next.stdout.trim())) yield "no token";
      });
      expect(broken).toEqual([]);
      expect(rounds).toBeGreaterThan(1);
    },
  );

  test.each(commands)(
    "%s with a broken disk says so, and keeps the old or the new sign-in [C09]",
    async (text) => {
      const desktop = await signedIn(text.split(" "), "error=EIO");
      const { identityProvider, folder, cached, inTurn } = desktop;
      let failures = 0;
      const { broken } = await inTurn(async function* judge({ code, stdout, stderr }, before) {
        const saysSo = stderr.includes("because of a fault of the system (EIO)");
        if (saysSo) failures += 1;
        const token = stdout.trim();
        if (text.startsWith("token")) {
          // Whoever wants a token gets it.
          if (code !== 0 || !identityProvider.secretsIssued().includes(token)) yield `no token`;
          if (!saysSo && !cached().includes(token)) yield "neither stored nor said";
        } else {
          // A command whose purpose is the write fails.
          if ((code === 1) !== saysSo) yield `${code} ${stderr}`;
          if (!saysSo && cached() === before) yield "neither done nor said";
        }
        for (const file of readdirSync(folder)) if (file.endsWith(".tmp")) yield `left ${file}`;
      });
      expect(broken).toEqual([]);
      expect(failures).toBeGreaterThan(1);
    },
  );
});
