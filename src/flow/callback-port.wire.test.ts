// Sign-ins that want one port: real sockets, the real lock. Changes when whose turn it is does.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { expectedState, holdPort, sendGenuine } from "../../test/support/callback-listener.ts";
import { freePort } from "../../test/support/free-port.ts";
import { systemClock } from "../core/clock.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { PromptEvent } from "../core/prompt.ts";
import { openCallbackListener, type CallbackListener } from "../interaction/listener.ts";
import { createProcessLock } from "../lock/protocol.ts";
import type { AcquireOptions, FlightLock, Lease } from "../lock/types.ts";
import { openInTurn, type OwnPort } from "./callback-port.ts";
import type { FlowWorld } from "./flow-world.ts";

const randomBytes = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const never = new AbortController().signal;
let folder = "";
let opened: OwnPort[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-port-"));
});
afterEach(async () => {
  await Promise.all(opened.map(({ listener }) => listener.close()));
  opened = [];
  rmSync(folder, { recursive: true });
});

function lockOf(stateFolder: string): FlightLock {
  return createProcessLock({ folder: stateFolder, clock: systemClock, randomBytes });
}

interface Someone {
  readonly events: PromptEvent[];
  readonly background: Set<Promise<void>>;
  /** Resolves with the first of these events. */
  hears(type: PromptEvent["type"]): Promise<PromptEvent>;
  opens(ports: readonly number[], changes?: Changes): Promise<OwnPort>;
}

interface Changes {
  host?: string;
  timeoutSeconds?: number;
  signal?: AbortSignal;
  /** Called with each port before it is opened. */
  beforeOpen?: (port: number) => void;
}

/** A sign-in with a world of its own; `portLock` is what its programs share. */
function someone(portLock: FlightLock | "none" = lockOf(folder)): Someone {
  const events: PromptEvent[] = [];
  const awaited: { type: PromptEvent["type"]; heard: (event: PromptEvent) => void }[] = [];
  const background = new Set<Promise<void>>();
  const world = {
    clock: systemClock,
    background,
    portLock: portLock === "none" ? undefined : portLock,
    prompt: (event: PromptEvent) => {
      events.push(event);
      for (const each of awaited) if (each.type === event.type) each.heard(event);
    },
  } as unknown as FlowWorld;
  return {
    events,
    background,
    hears: (type) => new Promise((heard) => awaited.push({ type, heard })),
    async opens(ports, changes = {}) {
      const { host = "127.0.0.1", timeoutSeconds = 10, signal = never, beforeOpen } = changes;
      const open = (port: number): Promise<CallbackListener> => {
        beforeOpen?.(port);
        return openCallbackListener({
          host,
          ports: [port],
          path: "/callback",
          responseMode: "query",
          isExpectedState: (candidate) => candidate === expectedState,
          clock: systemClock,
          logger: undefined,
          randomBytes,
        });
      };
      opened.push(await openInTurn(world, { host, ports, timeoutSeconds, open }, signal));
      return opened.at(-1) as OwnPort;
    },
  };
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

async function stranger(port = 0): Promise<number> {
  const holder = await holdPort("127.0.0.1", port);
  onTestFinished(() => holder.free());
  return holder.port;
}

function endIn(own: OwnPort): void {
  own.listener.settle({ kind: "failed", code: "aborted" });
  own.leave();
}

async function failureOf(promise: Promise<unknown>): Promise<OidcError> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("no OidcError", { cause: error });
  return error;
}

test("the second waits for the first, is told whom for, and goes on when the port is free [L18]", async () => {
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port]);
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = next.opens([port]);
  expect(await waiting).toEqual({
    type: "waitingForOther",
    processId: process.pid,
    phase: "login",
  });
  endIn(first);
  expect((await opening).listener.port).toBe(port);
  expect(next.events.map(({ type }) => type)).toEqual(["waitingForOther", "settled"]);
});

test("a page that is still shown is waited for: the right to the port ends with the port, not before", async () => {
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port]);
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = next.opens([port], {
    // With a second listener on it, the port would be refused.
    beforeOpen: () => expect(ended).toBe(true),
  });
  let ended = false;
  await waiting;
  await sendGenuine(first.listener);
  void first.listener.ended.then(() => (ended = true));
  first.listener.settle({ kind: "done" });
  first.leave();
  expect((await opening).listener.port).toBe(port);
});

test("a page of this process is taken away for its next sign-in, without a wait [L13]", async () => {
  const [port = 0] = await freePorts(1);
  const first = someone();
  const own = await first.opens([port]);
  await sendGenuine(own.listener);
  own.listener.settle({ kind: "done" });
  own.leave();
  expect(first.background.size).toBe(1);
  const next = someone();
  expect((await next.opens([port])).listener.port).toBe(port);
  expect(next.events).toEqual([]);
  expect(first.background.size).toBe(0);
});

test("a sign-in that is not settled is never taken away", async () => {
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port]);
  const error = await failureOf(someone().opens([port], { timeoutSeconds: 0.2 }));
  expect(error.code).toBe("callback_timeout");
  await sendGenuine(first.listener);
});

test("time is up: callback_timeout, with the port, the limit and the option [callback_timeout]", async () => {
  const [port = 0] = await freePorts(1);
  await someone().opens([port]);
  const error = await failureOf(someone().opens([port], { timeoutSeconds: 0.2 }));
  expect(error.code).toBe("callback_timeout");
  expect(error.message).toBe(
    `The sign-in did not begin, because another sign-in of this program still waits for a browser on port ${port} on 127.0.0.1 after 0.2 seconds. ` +
      "Finish that sign-in and start again, or register and set another `callbackPort`.",
  );
});

/** A lock that always has another holder, who passes it on at last; counts what was taken and given back. */
function busyLock(
  passedOn: (signal: AbortSignal) => Promise<void>,
): FlightLock & { taken: number; givenBack: number } {
  const lock = {
    taken: 0,
    givenBack: 0,
    acquire: async (_name: string, { onWaiting, signal }: AcquireOptions): Promise<Lease> => {
      onWaiting({ processId: 4711, phase: "login" });
      signal.throwIfAborted();
      await passedOn(signal);
      lock.taken += 1;
      const giveBack = async (): Promise<void> => void (lock.givenBack += 1);
      return {
        held: true,
        acrossProcesses: true,
        announce: () => undefined,
        finish: giveBack,
        abandon: giveBack,
      };
    },
  };
  return lock;
}

test("all waits together have one end, however often the turn comes to nothing", async () => {
  const lock = busyLock((signal) => systemClock.sleep(50, { signal }));
  const error = await failureOf(someone(lock).opens([await stranger()], { timeoutSeconds: 0.5 }));
  expect(error.code).toBe("callback_timeout");
  expect(error.message).toContain("process 4711 still waits for a browser");
  expect(error.message).toContain("or end it (kill 4711)");
  expect(lock.taken).toBeGreaterThan(1);
  expect(lock.givenBack).toBe(lock.taken);
});

test("of two ports that are passed on at once, one is taken and the other given back", async () => {
  const ports = await freePorts(2);
  const moment = systemClock.sleep(50);
  const lock = busyLock(
    (signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        void moment.then(resolve);
      }),
  );
  const own = await someone(lock).opens(ports);
  expect(ports).toContain(own.listener.port);
  expect([lock.taken, lock.givenBack]).toEqual([2, 1]);
  endIn(own);
  await own.listener.ended;
});

test("an abort ends the wait at once, with the caller's reason, and nothing of it is left", async () => {
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port]);
  const caller = new AbortController();
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = failureOf(next.opens([port], { signal: caller.signal }));
  await waiting;
  const reason = new OidcError("aborted", "Enough.");
  caller.abort(reason);
  expect(await opening).toBe(reason);
  endIn(first);
  // The right to the port was not taken along.
  expect((await someone().opens([port])).listener.port).toBe(port);
});

test("a stranger's port: callback_port_in_use, and nobody was waited for [L03]", async () => {
  const port = await stranger();
  const next = someone();
  let tries = 0;
  const error = await failureOf(next.opens([port], { beforeOpen: () => (tries += 1) }));
  // At once: only as long as the port of a killed process may need, not as long as a page that nobody told us of.
  expect(tries).toBeLessThan(10);
  expect([error.code, error.reason]).toEqual(["callback_port_in_use", undefined]);
  expect(error.message).toContain(`Port ${port} on 127.0.0.1 is taken by another program`);
  expect(next.events).toEqual([]);
  // The right to the port was given back.
  const again = await failureOf(someone().opens([port], { timeoutSeconds: 0.1 }));
  expect(again.code).toBe("callback_port_in_use");
});

test("a stranger's port that becomes free in a moment is taken [L03]", async () => {
  const holder = await holdPort("127.0.0.1");
  let tries = 0;
  const own = await someone().opens([holder.port], {
    beforeOpen: () => {
      tries += 1;
      if (tries === 2) void holder.free();
    },
  });
  expect(own.listener.port).toBe(holder.port);
  expect(tries).toBeGreaterThanOrEqual(2);
});

test("an interface that this machine does not have is said at once to be just that", async () => {
  let tries = 0;
  const error = await failureOf(
    someone().opens([8765], { host: "203.0.113.7", beforeOpen: () => (tries += 1) }),
  );
  expect([error.code, error.reason, tries]).toEqual(["callback_port_in_use", "listener_failed", 1]);
});

test("of a list, a port that another sign-in has counts as taken", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  await someone().opens([first]);
  const next = someone();
  expect((await next.opens([first, second])).listener.port).toBe(second);
  expect(next.events).toEqual([]);
});

test("of a list that sign-ins have, the first to be passed on is taken; the others are left alone", async () => {
  const [first = 0, second = 0] = await freePorts(2);
  const one = await someone().opens([first]);
  const other = await someone().opens([second]);
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = next.opens([first, second]);
  await waiting;
  endIn(other);
  expect((await opening).listener.port).toBe(second);
  endIn(one);
  // The wait for the first port did not keep it.
  const last = someone();
  expect((await last.opens([first])).listener.port).toBe(first);
  expect(last.events).toEqual([]);
});

test("of a list with a stranger's port and a sign-in's, the sign-in is waited for", async () => {
  const taken = await stranger();
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port]);
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = next.opens([taken, port]);
  await waiting;
  endIn(first);
  expect((await opening).listener.port).toBe(port);
});

test("of a list that strangers have, all are named", async () => {
  const ports = [await stranger(), await stranger()];
  const error = await failureOf(someone().opens(ports));
  expect(error.code).toBe("callback_port_in_use");
  expect(error.message).toContain(`Ports ${ports.join(", ")} on 127.0.0.1 are all taken`);
});

test("port 0 needs no turn, alone or last in a list", async () => {
  const asked: string[] = [];
  const lock = lockOf(folder);
  const counting: FlightLock = {
    acquire: (name, options) => {
      asked.push(name);
      return lock.acquire(name, options);
    },
  };
  await someone(counting).opens([0]);
  await someone(counting).opens([0]);
  expect(asked).toEqual([]);
  const port = await stranger();
  expect((await someone(counting).opens([port, 0])).listener.port).toBeGreaterThan(0);
});

test.for([
  ["127.0.0.1", "localhost"],
  ["localhost", "127.0.0.1"],
  ["::1", "localhost"],
  ["0.0.0.0", "127.0.0.1"],
] as const)("%s and %s on one port are one turn [L02]", async ([one, other]) => {
  const [port = 0] = await freePorts(1);
  const first = await someone().opens([port], { host: one });
  const next = someone();
  const waiting = next.hears("waitingForOther");
  const opening = next.opens([port], { host: other });
  await waiting;
  endIn(first);
  expect((await opening).listener.port).toBe(port);
});

test("another state folder is another user's: a stranger", async () => {
  const [port = 0] = await freePorts(1);
  await someone().opens([port]);
  const elsewhere = mkdtempSync(join(tmpdir(), "latchkey-port-"));
  onTestFinished(() => rmSync(elsewhere, { recursive: true }));
  const next = someone(lockOf(elsewhere));
  expect((await failureOf(next.opens([port]))).code).toBe("callback_port_in_use");
  expect(next.events).toEqual([]);
});

test.for([
  ["no lock is known", "none"],
  [
    "the lock cannot be had",
    {
      acquire: () => Promise.reject(new OidcError("cache_insecure", "Its folder is open to all.")),
    },
  ],
] as const)("where %s, binding decides", async ([, portLock]) => {
  const [port = 0] = await freePorts(1);
  const first = await someone(portLock).opens([port]);
  const next = someone(portLock);
  expect((await failureOf(next.opens([port]))).code).toBe("callback_port_in_use");
  // The page of a sign-in that ends takes a moment.
  let tries = 0;
  const opening = next.opens([port], {
    beforeOpen: () => {
      tries += 1;
      if (tries === 8) endIn(first);
    },
  });
  expect((await opening).listener.port).toBe(port);
});

test("a bug in the lock is no reason to go on without it", async () => {
  const broken: FlightLock = { acquire: () => Promise.reject(new TypeError("a bug")) };
  await expect(someone(broken).opens([1])).rejects.toThrow("a bug");
});
