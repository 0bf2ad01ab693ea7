// The store while a system call of its fails, or is its last. The calls that change something, for the use that
// matters most; all others are in test/long.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";

import { processNamespace } from "../../src/files/processes.ts";
import type { Fault, FileCall } from "../support/fault-calls.ts";
import { isChange, steadyPaths } from "../support/fault-calls.ts";
import { canTrace, startFaultProcess } from "../support/fault-process.ts";
import { errorsOf, killsOf, rehearse, runRounds } from "../support/fault-rounds.ts";
import type { Scene } from "../support/fault-scenes.ts";
import {
  filesBelow,
  leftoversBelow,
  readingScenes,
  setScene,
  statesOf,
  writingScenes,
} from "../support/fault-scenes.ts";

// Many processes in turn; on a busy machine each of them takes its time.
vi.setConfig({ testTimeout: 60_000 });

const available = canTrace();
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "latchkey-faults-"));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function sceneNamed(part: string): Scene {
  const found = [...writingScenes, ...readingScenes].find(({ name }) => name.includes(part));
  if (found === undefined) throw new Error(`no scene ${part}`);
  return found;
}

/** Each call that changes something: killed before it, and told of a broken disk, or of a quota that is used up. */
function maxTelling(call: FileCall): readonly Fault[] {
  if (!isChange(call)) return [];
  const telling = call.name === "write" ? ["EIO", "EDQUOT"] : ["EIO"];
  const errors = errorsOf(call).filter(
    (fault) => fault.kind === "error" && telling.includes(fault.errno),
  );
  return [{ kind: "killed_before" }, ...errors];
}

describe.skipIf(!available)("a write that is interrupted at a system call (needs strace)", () => {
  test.each(["replaces one of three"])(
    "%s: the old or the new record, never neither [C07][C09]",
    async (part) => {
      const { calls, broken } = await runRounds(sceneNamed(part), root, maxTelling);
      expect(broken).toEqual([]);
      expect(calls.filter(({ ofLock }) => !ofLock).length).toBeGreaterThan(4);
      // Its folder, the socket, its mode, its number, its end.
      expect(calls.filter(({ ofLock }) => ofLock).map(({ name }) => name)).toEqual([
        expect.stringMatching(/^mkdir/),
        "bind",
        expect.stringMatching(/^f?chmod/),
        expect.stringMatching(/^link/),
        expect.stringMatching(/^unlink/),
        // Node's own, of the name under which it listened.
        expect.stringMatching(/^unlink/),
      ]);
    },
  );

  test("is killed as soon as the kernel has done a call, before the program knows [C07]", async () => {
    const { broken, rounds } = await runRounds(sceneNamed("default folder"), root, (call) =>
      isChange(call) ? killsOf(call).filter(({ kind }) => kind === "killed_after") : [],
    );
    expect(broken).toEqual([]);
    expect(rounds).toBeGreaterThan(4);
  });

  test("a lock that fails while it is taken keeps nobody waiting, here or elsewhere [F-S4]", async () => {
    const { broken, calls } = await runRounds(sceneNamed("takes a lock"), root, (call) => {
      const telling = /^(open|link|chmod)/.test(call.name) ? ["EIO", "EMFILE"] : [];
      return call.ofLock ? telling.map((errno) => ({ kind: "error", errno })) : [];
    });
    expect(broken).toEqual([]);
    expect(calls.length).toBeGreaterThan(6);
  });

  test("a reader whose calls fail changes nothing, and ends with an OidcError", async () => {
    const { broken, rounds } = await runRounds(
      sceneNamed("reads a record of a file"),
      root,
      errorsOf,
    );
    expect(broken).toEqual([]);
    expect(rounds).toBeGreaterThan(15);
  });
});

describe.skipIf(!available)("the steps of a change, as the kernel sees them (needs strace)", () => {
  const stepOf = ({ name, text, paths }: FileCall): string => {
    const flags = /O_CREAT\S*, 0\d+/.exec(text)?.[0] ?? "";
    const where = steadyPaths(paths).join(" ").replaceAll(root, "");
    return `${name.replace(/at2?$/, "")} ${where} ${flags}`.trim();
  };
  /** The changes of the record's file and folder; all that the lock needs lies in a folder of its own. */
  const recordSteps = (calls: readonly FileCall[]): string[] =>
    calls
      .filter(isChange)
      .map(stepOf)
      .filter((step) => !/ \/(state|proc)\b/.test(step));

  test("content, name and folder reach the disk in this order [C07]", async () => {
    const { calls } = await rehearse(sceneNamed("replaces one of three"), root);
    const temporary = "/.cache.json.latchkey-MAKER-0101010101010101.tmp";
    expect(recordSteps(calls)).toEqual([
      `open ${temporary} O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0600`,
      `write ${temporary}`,
      `fsync ${temporary}`,
      `rename ${temporary} /cache.json`,
      "fsync",
    ]);
  });

  test("a deletion reaches the disk [C07]", async () => {
    const { calls } = await rehearse(sceneNamed("deletes the only record"), root);
    expect(recordSteps(calls)).toEqual(["unlink /cache.json", "fsync"]);
  });

  test("the lock's socket is its owner's alone before it has a number, and leaves only that [F-S4]", async () => {
    const { calls } = await rehearse(sceneNamed("deletes the only record"), root);
    const own = "/state/locks/LOCK/holder-MAKER";
    const ofLock = calls.filter((call) => call.ofLock && isChange(call)).map(stepOf);
    expect(ofLock.slice(2)).toEqual([
      `chmod ${own}`,
      `link ${own} /state/locks/LOCK/1`,
      `unlink ${own}`,
      // Node's own; by then the descriptor may be another folder's, where nothing has this name.
      "unlink /proc/self/fd/N/holder-MAKER",
    ]);
  });

  test("a new folder reaches the disk through the folder above it [C07]", async () => {
    const { calls } = await rehearse(sceneNamed("writes the first record"), root);
    const changes = calls.filter(isChange);
    const made = changes.filter(
      ({ name, paths }) =>
        name.startsWith("mkdir") && paths[0]?.startsWith(join(root, "a")) === true,
    );
    // Only root looks at the folder above first, and does not try in vain.
    const inVain = process.geteuid?.() === 0 ? 0 : 1;
    expect(made.map(stepOf).slice(inVain)).toEqual(["mkdir /a", "mkdir /a/b"]);
    for (const call of made.slice(inVain)) {
      const next = changes[changes.indexOf(call) + 1];
      expect([next?.name, next?.paths]).toEqual(["fsync", [dirname(call.paths[0] ?? "")]]);
    }
  });
});

test.skipIf(!available)(
  "a process that was suspended while it saved does not undo what came after (needs strace) [R06]",
  async () => {
    const scene = sceneNamed("replaces one of three");
    setScene(scene, root);
    const sleeper = await startFaultProcess();
    onTestFinished(() => sleeper.end());
    const maker = `${String(sleeper.processId)}-${processNamespace() ?? "0"}`;
    const temporary = join(root, `.cache.json.latchkey-${maker}-0101010101010101.tmp`);
    const wakeUp = await sleeper.suspended(scene.command(root), {
      thread: "pool",
      parameters: [
        "-P",
        temporary,
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:signal=SIGSTOP:when=1",
      ],
    });
    // Another one, that has no lock in common with it: from another machine, or in another container.
    const other = await startFaultProcess();
    onTestFinished(() => other.end());
    const command = {
      ...scene.command(root),
      clientId: "two",
      lockFolder: join(root, "another"),
      randomSeed: 100,
    };
    expect(await other.tell(command)).toMatchObject({ outcome: "done" });
    const { result } = await wakeUp();
    expect(result).toMatchObject({ outcome: "done" });
    expect(statesOf(join(root, "cache.json"))).toBe("one:2 three:1 two:2");
  },
);

test.skipIf(!available).each(["deletes one of three", "deletes the only record"])(
  "%s: what a killed process left of it goes too, however young (needs strace) [C13]",
  async (part) => {
    const scene = sceneNamed(part);
    setScene(scene, root);
    const command = scene.command(root);
    const killed = await startFaultProcess();
    onTestFinished(() => killed.end());
    await killed.traced(
      { ...command, work: "save" },
      {
        thread: "pool",
        parameters: ["-e", "trace=/^rename", "-e", "inject=/^rename:signal=SIGKILL"],
      },
    );
    const holdsSecret = (): boolean =>
      filesBelow(root).some((path) => readFileSync(path, "utf8").includes("SECRET-one-"));
    expect([leftoversBelow(root).length, holdsSecret()]).toEqual([1, true]);
    const next = await startFaultProcess();
    onTestFinished(() => next.end());
    expect(await next.tell({ ...command, randomSeed: 100 })).toMatchObject({ outcome: "done" });
    expect([leftoversBelow(root), holdsSecret()]).toEqual([[], false]);
  },
);
