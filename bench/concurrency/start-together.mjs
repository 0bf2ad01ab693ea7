// Changes when many processes are started at one instant in another way. Linux alone: a FIFO is the starting gate, and
// /proc says who runs. Needs bash, which knows the processor time of what it ran to the millisecond.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {object} Ended
 * @property {number | undefined} status undefined where it did not end in time
 * @property {string} stdout
 * @property {string} stderr
 * @property {number} milliseconds from the opening of the gate to the end of the process
 * @property {number} processorMilliseconds that it computed, in user and system mode
 */

/** @param {string} path */
function makeFifo(path) {
  const { status, error } = spawnSync("mkfifo", ["-m", "600", path]);
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error("mkfifo failed");
  return openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
}

/**
 * Says that it is there, waits for the gate, runs the program, and notes on descriptor 3 what processor time it took
 * and when it ended. Not this process: among 200 others it hears of an end seconds later (seen: fifteen).
 */
const waitAtGate = `
echo >"$0"
exec 9<"$1" 9<&-
shift
TIMEFORMAT="%U %S"
{ time "$@" 2>&4 3>&- 4>&-; } 4>&2 2>&3
status=$?
echo "$EPOCHREALTIME" >&3
exit $status`;

/** The program that a gatekeeper runs, once it does. @param {number} gatekeeper its process id */
function programOf(gatekeeper) {
  try {
    const children = readFileSync(`/proc/${gatekeeper}/task/${gatekeeper}/children`, "utf8");
    return children
      .split(" ")
      .filter((text) => text !== "")
      .map(Number);
  } catch (error) {
    // It has ended.
    if (error.code === "ENOENT" || error.code === "ESRCH") return [];
    throw error;
  }
}

/**
 * Starts `count` processes that all wait at a gate, opens it, and gives what became of each.
 * @param {number} count
 * @param {object} command
 * @param {readonly string[]} command.words
 * @param {Readonly<Record<string, string>>} command.environment
 * @param {number} command.limitMilliseconds a process that takes longer is killed
 * @param {(processIds: () => readonly number[]) => Promise<void>} [whileRunning]
 * @returns {Promise<Ended[]>}
 */
export async function startTogether(count, command, whileRunning) {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-gate-"));
  const gatePath = join(folder, "gate");
  const readyPath = join(folder, "ready");
  const ready = new Socket({ fd: makeFifo(readyPath), readable: true, writable: false });
  const { status } = spawnSync("mkfifo", ["-m", "600", gatePath]);
  if (status !== 0) throw new Error("mkfifo failed");
  try {
    const children = Array.from({ length: count }, () =>
      spawn("/bin/bash", ["-c", waitAtGate, readyPath, gatePath, ...command.words], {
        env: command.environment,
        stdio: ["ignore", "pipe", "pipe", "pipe"],
      }),
    );
    let startedAt = 0;
    const ends = children.map((child) => end(child, command.limitMilliseconds, () => startedAt));
    let arrived = 0;
    for await (const chunk of ready) {
      arrived += chunk.length;
      if (arrived >= count) break;
    }
    startedAt = Date.now();
    // Open for reading too, so that it does not matter who comes first, and until the last has gone through.
    const gate = openSync(gatePath, constants.O_RDWR);
    try {
      await whileRunning?.(() => children.flatMap(({ pid = -1 }) => programOf(pid)));
      return await Promise.all(ends);
    } finally {
      closeSync(gate);
    }
  } finally {
    ready.destroy();
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @param {number} limitMilliseconds
 * @param {() => number} startedAt
 * @returns {Promise<Ended>}
 */
function end(child, limitMilliseconds, startedAt) {
  const said = ["", "", "", ""];
  for (const descriptor of [1, 2, 3]) {
    child.stdio[descriptor]?.setEncoding("utf8").on("data", (chunk) => {
      said[descriptor] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    let didEnd = true;
    const timer = setTimeout(() => {
      didEnd = false;
      for (const id of programOf(child.pid ?? -1)) process.kill(id, "SIGKILL");
    }, limitMilliseconds);
    child.once("error", reject);
    child.once("exit", () => clearTimeout(timer));
    child.once("close", (status) => {
      const [, stdout = "", stderr = "", notes = ""] = said;
      // Before these two lines, bash says so where a signal ended the program.
      const [times = "", endedAt = ""] = notes.trim().split("\n").slice(-2);
      const [user = Number.NaN, system = Number.NaN] = times.split(" ").map(Number);
      resolve({
        status: didEnd ? (status ?? undefined) : undefined,
        stdout,
        stderr,
        milliseconds: Number(endedAt) * 1000 - startedAt(),
        processorMilliseconds: (user + system) * 1000,
      });
    });
  });
}
