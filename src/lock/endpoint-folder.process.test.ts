// The lock as a socket in the user's own folder. Changes when how it is taken does.
import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createFolderEndpoint } from "./endpoint-folder.ts";
import type { Endpoint, Hold } from "./endpoint.ts";
import { useLockFolder } from "../../test/support/lock-folder.ts";

let root = "";
let holds: Hold[] = [];
const id = randomBytes(64).toString("hex");

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "latchkey-lock-"));
});

afterEach(async () => {
  await Promise.all(holds.map((hold) => hold.free()));
  holds = [];
  rmSync(root, { recursive: true, force: true });
});

function endpointIn(folder: string): Endpoint {
  return createFolderEndpoint({ folder, randomBytes });
}

/** How it went: the state, and "connected" where the holder was reached on the way. */
async function take(endpoint: Endpoint): Promise<string> {
  const taken = await endpoint.take(id, (socket) => socket.on("error", () => undefined));
  if (taken.state === "taken") holds.push(taken.hold);
  if (taken.state !== "held") return taken.state;
  if (taken.reached?.state === "connected") taken.reached.socket.destroy();
  return `held, ${String(taken.reached?.state)}`;
}

/** What lies in the lock's folder, by kind. */
function namesIn(folder: string): string[] {
  const [place = ""] = readdirSync(join(folder, "locks"));
  return readdirSync(join(folder, "locks", place))
    .map((name) => name.replace(/^holder-.*/, "holder"))
    .toSorted();
}

describe.runIf(process.platform === "linux")("a lock in the user's folder [F-S4]", () => {
  test("is taken once, held then, and free as soon as it is freed", async () => {
    const [one, other] = [endpointIn(root), endpointIn(root)];
    expect(await one.reach(id)).toEqual({ state: "gone" });
    expect(await take(one)).toBe("taken");
    expect(await take(other)).toBe("held, connected");
    expect(one.holderProcess?.(id)).toBe(process.pid);
    // Not even awaited: closing frees it at once.
    void holds.pop()?.free();
    expect(await other.reach(id)).toEqual({ state: "gone" });
    expect(other.holderProcess?.(id)).toBeUndefined();
    expect(await take(other)).toBe("taken");
  });

  test("goes to one of many who want it at once, each time", async () => {
    for (let round = 0; round < 5; round += 1) {
      const states = await Promise.all(Array.from({ length: 30 }, () => take(endpointIn(root))));
      expect(states.filter((state) => state === "taken")).toHaveLength(1);
      await holds.pop()?.free();
    }
  });

  test("leaves two numbers behind at most, and nothing of who held it", async () => {
    for (let times = 0; times < 5; times += 1) {
      expect(await take(endpointIn(root))).toBe("taken");
      expect(namesIn(root).filter((name) => name === "holder")).toHaveLength(1);
      await holds.pop()?.free();
    }
    expect(namesIn(root)).toEqual(["4", "5"]);
  });

  test("can be taken below a folder whose path is too long for a socket, by one at a time", async () => {
    const long = join(root, "a".repeat(120), "b".repeat(120));
    expect(await take(endpointIn(long))).toBe("taken");
    expect(await take(endpointIn(long))).toBe("held, connected");
    await holds.pop()?.free();
    expect(await take(endpointIn(long))).toBe("taken");
    expect(namesIn(long)).toEqual(["1", "2", "holder"]);
  });

  test("is the user's alone, whatever the umask", async () => {
    const before = process.umask(0o277);
    try {
      expect(await take(endpointIn(join(root, "state")))).toBe("taken");
      expect(await take(endpointIn(join(root, "state")))).toBe("held, connected");
    } finally {
      process.umask(before);
    }
    const [place = ""] = readdirSync(join(root, "state", "locks"));
    const folder = join(root, "state", "locks", place);
    expect([folder, dirname(folder)].map((path) => statSync(path).mode & 0o777)).toEqual([
      0o700, 0o700,
    ]);
    for (const name of readdirSync(folder)) {
      expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("is not taken in a folder that others can change", async () => {
    mkdirSync(join(root, "locks"), { mode: 0o700 });
    mkdirSync(join(root, "locks", id.slice(0, 32)));
    chmodSync(join(root, "locks", id.slice(0, 32)), 0o777);
    await expect(take(endpointIn(root))).rejects.toMatchObject({ code: "cache_insecure" });
  });
});

describe.runIf(process.platform === "linux")("between processes", () => {
  const place = useLockFolder();

  test("what a killed holder has left goes with the next one [F-S4]", async () => {
    const [first, second] = await place.startMany(2);
    first?.tell({ do: "acquire", name: "key" });
    await first?.next("held");
    first?.child.kill("SIGKILL");
    await first?.ended;
    expect(namesIn(place.folder)).toEqual(["1", "holder"]);
    second?.tell({ do: "acquire", name: "key" });
    expect(await second?.next("held", "waiting")).toMatchObject({
      event: "held",
      acrossProcesses: true,
    });
    expect(namesIn(place.folder)).toEqual(["1", "2", "holder"]);
  });

  test("a holder in another namespace of process ids is never called by its number there [F-S19]", async () => {
    const there = await place.start({
      words: ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"],
    });
    const [here] = await place.startMany(1);
    there.tell({ do: "acquire", name: "key" });
    await there.next("held");
    here?.tell({ do: "acquire", name: "key" });
    expect(await here?.next("waiting", "rejected")).toEqual({ event: "waiting", phase: "refresh" });
    here?.tell({ do: "inspect", name: "key" });
    const inspected = await here?.next("inspected");
    expect(inspected?.["holder"]).toEqual({ phase: "refresh", since: expect.any(Number) });
  });
});
