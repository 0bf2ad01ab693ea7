// The program that asks is found behind the shells in between, and told from every other.

import { expect, test } from "vitest";
import { consumerOf, readProcess, type ProcessFacts, type ProcessReader } from "./consumer.ts";

/** Processes by their numbers, `name words → parent`. */
function played(
  processes: Readonly<Record<number, readonly [string, string, number]>>,
): ProcessReader {
  return (processId) => {
    const found = processes[processId];
    if (found === undefined) return undefined;
    const [name, words, parent] = found;
    const facts: ProcessFacts = {
      name,
      words: words.split(" "),
      parent,
      startedAt: `s${processId}`,
    };
    return facts;
  };
}

function idOf(consumer: string | undefined): unknown {
  return consumer === undefined ? undefined : (JSON.parse(consumer) as unknown[]).slice(2);
}

const terminal = { 10: ["bash", "-bash", 2], 2: ["sshd", "sshd", 1] } as const;

test("the parent is the program, with its start", () => {
  const read = played({ ...terminal, 30: ["kubectl", "kubectl get pods", 10] });
  expect(idOf(consumerOf(30, undefined, read))).toEqual([30, "s30"]);
});

test("a shell that runs a command or a script is not the program", () => {
  const read = played({
    ...terminal,
    20: ["code", "code .", 10],
    30: ["sh", "/bin/sh -c latchkey credential headers", 20],
    31: ["bash", "bash /opt/wrapper.sh", 30],
    32: ["env", "env A=b latchkey", 31],
  });
  expect(idOf(consumerOf(32, undefined, read))).toEqual([20, "s20"]);
});

test("a person at a shell is nobody in particular", () => {
  expect(consumerOf(10, undefined, played(terminal))).toBeUndefined();
  const read = played({ ...terminal, 30: ["sh", "sh ./ask-twice.sh", 10] });
  expect(consumerOf(30, undefined, read)).toBeUndefined();
});

test("git's own processes are one program, and two commands are two", () => {
  const family = /^git(?:-|$)/;
  const read = played({
    ...terminal,
    20: ["git", "git clone --recurse-submodules x", 10],
    21: ["git-remote-http", "git-remote-https origin x", 20],
    22: ["sh", "sh -c git credential-latchkey get", 21],
    23: ["git", "git credential-latchkey get", 22],
    40: ["git", "git fetch", 10],
    41: ["git-remote-http", "git-remote-https origin x", 40],
  });
  expect(idOf(consumerOf(23, family, read))).toEqual([20, "s20"]);
  expect(idOf(consumerOf(41, family, read))).toEqual([40, "s40"]);
});

test("a number that was given again is another program", () => {
  const read = played({ 30: ["kubectl", "kubectl get pods", 1] });
  const later: ProcessReader = (processId) => {
    const facts = read(processId);
    return facts && { ...facts, startedAt: "later" };
  };
  expect(consumerOf(30, undefined, read)).not.toBe(consumerOf(30, undefined, later));
});

test("ancestors without an end are given up", () => {
  const read: ProcessReader = () => ({
    name: "sh",
    words: ["sh", "-c", "x"],
    parent: 5,
    startedAt: "",
  });
  expect(consumerOf(5, undefined, read)).toBeUndefined();
});

test.runIf(process.platform === "linux")("a process is read as the system tells of it", () => {
  const own = readProcess(process.pid);
  expect(own?.parent).toBe(process.ppid);
  expect(own?.startedAt).toMatch(/^\d+$/);
  expect(own?.words.length).toBeGreaterThan(0);
  expect(readProcess(2 ** 30)).toBeUndefined();
});
