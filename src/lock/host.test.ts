import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { bundleModule } from "../../test/support/bundle-module.ts";
import { attachLockProcess } from "../../test/support/lock-process.ts";
import { canMakePrivateNetwork } from "../../test/support/private-network.ts";
import { hostIdentity } from "./host.ts";
import type { HostReaders } from "./host.ts";

const bootId = "4d0f1d1c-3a5e-4a0e-9c6f-0b6c1c1f2a3b\n";
const start = Date.UTC(2026, 10, 23, 12);

/** A machine that has run for a day. */
function machine(changes: Partial<HostReaders> = {}): HostReaders {
  return {
    platform: "linux",
    readText: (path) => (path === "/proc/sys/kernel/random/boot_id" ? bootId : ""),
    readLink: (path) => (path === "/proc/self/ns/net" ? "net:[4026531840]" : ""),
    hostname: () => "desk",
    uptimeSeconds: () => 86_400,
    now: () => start + 86_400_000,
    ...changes,
  };
}

function throwing(): never {
  throw Object.assign(new Error("no such file"), { code: "ENOENT" });
}

test("is 32 digits that tell nothing of the machine, and the same each time", () => {
  const identity = hostIdentity();
  expect(identity).toMatch(/^[0-9a-f]{32}$/);
  expect(hostIdentity()).toBe(identity);
  expect(hostIdentity(machine())).toMatch(/^[0-9a-f]{32}$/);
});

test.each<[string, Partial<HostReaders>]>([
  ["boot", { readText: () => "another boot" }],
  ["network namespace", { readLink: () => "net:[4026532008]" }],
  ["host name", { hostname: () => "other" }],
  ["system", { platform: "darwin" }],
])("another %s is another place on Linux", (_what, changes) => {
  expect(hostIdentity(machine(changes))).not.toBe(hostIdentity(machine()));
});

test("on Linux no clock has a part in it", () => {
  const later = machine({ now: () => start + 86_400_000_000, uptimeSeconds: () => 1 });
  expect(hostIdentity(later)).toBe(hostIdentity(machine()));
});

const clocks: Record<string, Partial<HostReaders>> = {
  "on macOS": { platform: "darwin" },
  "on Windows": { platform: "win32" },
  "on Linux without /proc": { readText: throwing },
  "on Linux without namespaces": { readLink: throwing },
};

test.each(Object.keys(clocks))("%s it holds from the machine's start to its end", (name) => {
  const changes = clocks[name];
  const identity = hostIdentity(machine(changes));
  for (const [days, driftSeconds] of [
    [0.001, 0],
    [1, 20],
    [30, -300],
    [90, 900],
  ] as const) {
    const seconds = days * 86_400;
    const later = machine({
      ...changes,
      now: () => start + seconds * 1000 + driftSeconds * 1000,
      uptimeSeconds: () => seconds,
    });
    expect(hostIdentity(later)).toBe(identity);
  }
});

test.each(Object.keys(clocks))("%s a later start and another name are other places", (name) => {
  const changes = clocks[name];
  const identity = hostIdentity(machine(changes));
  expect(hostIdentity(machine({ ...changes, uptimeSeconds: () => 3600 }))).not.toBe(identity);
  expect(hostIdentity(machine({ ...changes, hostname: () => "other" }))).not.toBe(identity);
});

test.runIf(canMakePrivateNetwork())(
  "a process in another network namespace of this machine is in another place",
  async () => {
    const worker = await bundleModule(
      fileURLToPath(new URL("../../test/support/lock-worker.ts", import.meta.url)),
    );
    const identityIn = async (...words: readonly string[]): Promise<unknown> => {
      const [command, ...parameters] = [...words, process.execPath, worker, "/nonexistent"];
      const one = await attachLockProcess(
        spawn(command, parameters, { stdio: ["pipe", "pipe", "inherit"] }),
      );
      one.tell({ do: "host" });
      const { identity } = await one.next("host");
      one.release();
      await one.ended;
      return identity;
    };
    expect(await identityIn()).toBe(hostIdentity());
    const there = await identityIn("unshare", "--net");
    expect(there).toMatch(/^[0-9a-f]{32}$/);
    expect(there).not.toBe(hostIdentity());
  },
);
