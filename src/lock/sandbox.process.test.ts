// Places where the system's lock is not to be had, and places that it does not reach. Changes when such a place does.
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";

import { describe, expect, test } from "vitest";

import { useLockFolder } from "../../test/support/lock-folder.ts";
import { canSquat, holdName } from "../../test/support/name-squatter.ts";
import { canMakePrivateNetwork } from "../../test/support/private-network.ts";

import { linuxAddress } from "./endpoint-linux.ts";
import { readLockIdentity } from "./lock-id.ts";
import { deriveLockKeys } from "./proof.ts";

const place = useLockFolder();

// A filter of the kernel (seccomp) that answers one system call with an error, as sandboxes do.
const sandbox = `
my ($prctl, $call, $errno) = splice(@ARGV, 0, 3);
my $filter = pack("SCCL" x 4, 0x20, 0, 0, 0, 0x15, 0, 1, $call, 6, 0, 0, 0x50000 | $errno, 6, 0, 0, 0x7fff0000);
my $program = pack("S x6 P", 4, $filter);
syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
syscall($prctl, 22, 2, $program) == 0 or die "seccomp: $!";
exec(@ARGV) or die $!;`;

const systemCalls: Partial<
  Record<NodeJS.Architecture, { prctl: number; socket: number; bind: number; link: number }>
> = {
  x64: { prctl: 157, socket: 41, bind: 49, link: 86 },
  arm64: { prctl: 167, socket: 198, bind: 200, link: 37 },
};
const calls = systemCalls[process.arch];

describe.runIf(process.platform === "linux" && calls !== undefined)("in a sandbox", () => {
  test.each([
    ["bind", "EPERM", 1],
    ["bind", "EINVAL", 22],
    ["bind", "ENOTSUP", 95],
    ["bind", "EACCES", 13],
    ["socket", "EPERM", 1],
  ] as const)(
    "that answers %s with %s, a call goes on at once, and says that others are not kept out",
    async (call, why, errno) => {
      const parameters = [calls?.prctl, calls?.[call], errno].map(String);
      const inside = await place.start({ words: ["perl", "-e", sandbox, ...parameters] });
      inside.tell({ do: "acquire", name: "key" });
      expect(await inside.next("held", "waiting", "rejected")).toMatchObject({
        event: "held",
        acrossProcesses: false,
      });
      expect(await inside.next("unavailable")).toEqual({ event: "unavailable", why });
      // Within the sandboxed process it is a lock all the same.
      inside.tell({ do: "acquire", name: "key" });
      expect(await inside.next("waiting", "held")).toMatchObject({ event: "waiting" });
      inside.tell({ do: "finish", outcome: { kind: "done", version: "v" } });
      expect(await inside.next("shared")).toMatchObject({ outcome: { version: "v" } });
    },
  );

  test("whoever may not make a socket waits for a holder all the same", async () => {
    const parameters = [calls?.prctl, calls?.bind, 1].map(String);
    const [inside, outside] = await Promise.all([
      place.start({ words: ["perl", "-e", sandbox, ...parameters] }),
      place.start(),
    ]);
    outside.tell({ do: "acquire", name: "key" });
    expect(await outside.next("held")).toMatchObject({ acrossProcesses: true });
    inside.tell({ do: "acquire", name: "key" });
    expect(await inside.next("waiting", "held")).toMatchObject({ processId: outside.processId });
    outside.tell({ do: "finish", outcome: { kind: "done", version: "v" } });
    expect(await inside.next("shared")).toMatchObject({ outcome: { version: "v" } });
  });
});

describe.runIf(process.platform === "linux" && calls !== undefined)(
  "on a file system without hard links",
  () => {
    const words = ["perl", "-e", sandbox, ...[calls?.prctl, calls?.link, 1].map(String)];

    test("processes exclude each other by an abstract socket", async () => {
      const [one, other] = await place.startMany(2, { words });
      one?.tell({ do: "acquire", name: "key" });
      expect(await one?.next("held")).toMatchObject({ acrossProcesses: true });
      other?.tell({ do: "acquire", name: "key" });
      expect(await other?.next("waiting", "held")).toMatchObject({ processId: one?.processId });
      other?.tell({ do: "inspect", name: "key" });
      expect(await other?.next("inspected")).toMatchObject({ holder: { phase: "refresh" } });
    });

    test.runIf(canSquat)(
      "another user who holds that socket is no holder: a call goes on at once, with a warning [F-S4]",
      async () => {
        const identity = readLockIdentity(place.folder, randomBytes);
        if (identity.state !== "known") throw new Error(identity.state);
        await holdName(linuxAddress(deriveLockKeys(identity.secret, identity.inode, "key").id));
        const inside = await place.start({ words, speed: 0.001 });
        for (let times = 0; times < 2; times += 1) {
          inside.tell({ do: "acquire", name: "key" });
          expect(await inside.next("held", "waiting", "rejected")).toEqual({
            event: "held",
            acrossProcesses: false,
          });
          expect(await inside.next("unavailable")).toMatchObject({ why: "stranger" });
          inside.tell({ do: "abandon" });
          await inside.next("finished");
        }
        expect(await inside.next("warning")).toEqual({ event: "warning", code: "cache_locked" });
      },
    );
  },
);

describe.runIf(process.platform === "linux" && calls !== undefined)(
  "without descriptors, which only lasts for a while,",
  () => {
    test.each([
      ["socket", "EMFILE", 24],
      ["bind", "ENOBUFS", 105],
    ] as const)("(%s: %s) no call goes on without the lock", async (call, why, errno) => {
      const parameters = [calls?.prctl, calls?.[call], errno].map(String);
      const inside = await place.start({
        words: ["perl", "-e", sandbox, ...parameters],
        speed: 100,
      });
      inside.tell({ do: "acquire", name: "key" });
      const rejected = await inside.next("held", "waiting", "rejected");
      expect(rejected).toMatchObject({ event: "rejected", code: "cache_locked" });
      expect(rejected["message"]).toContain(why);
    });

    test("a call waits until there are some again", async () => {
      const inside = await place.start({ words: ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh"] });
      inside.tell({ do: "useUpDescriptors" });
      await inside.next("usedUp");
      inside.tell({ do: "acquire", name: "key" });
      inside.tell({ do: "freeDescriptors" });
      expect(await inside.next("held", "rejected")).toEqual({
        event: "held",
        acrossProcesses: true,
      });
    });
  },
);

describe.runIf(process.platform === "linux")("another place", () => {
  test.runIf(canMakePrivateNetwork())(
    "that shares the home folder but not the network is kept out, though it is another host",
    async () => {
      const [here, there] = await Promise.all([
        place.start(),
        place.start({ words: ["unshare", "--net"] }),
      ]);
      here.tell({ do: "acquire", name: "key" });
      expect(await here.next("held", "rejected")).toMatchObject({ event: "held" });
      there.tell({ do: "acquire", name: "key" });
      expect(await there.next("held", "waiting")).toMatchObject({ processId: here.processId });
      for (const one of [here, there]) one.tell({ do: "host" });
      const hosts = await Promise.all([here, there].map((one) => one.next("host")));
      expect(hosts[0]?.["identity"]).not.toBe(hosts[1]?.["identity"]);
    },
  );

  test("with a copy of the folder has a lock of its own", async () => {
    const here = await place.start();
    here.tell({ do: "acquire", name: "key" });
    await here.next("held");
    execFileSync("cp", ["-a", place.folder, `${place.folder}-copy`]);
    const there = await place.start({ folder: `${place.folder}-copy` });
    there.tell({ do: "acquire", name: "key" });
    expect(await there.next("held", "waiting")).toMatchObject({ event: "held" });
  });
});
