// Whose turn it is on a fixed callback port. Changes when the sign-ins of one user share a port in another way.

import { isErrorOf, isOidcError, OidcError } from "../core/errors.ts";
import { counted } from "../core/words.ts";
import { option, run, say } from "../core/wording.ts";
import { portsTaken } from "../interaction/bind.ts";
import type { CallbackListener } from "../interaction/listener.ts";
import type { Lease } from "../lock/types.ts";
import type { FlowWorld } from "./flow-world.ts";

/** The port that a sign-in wants. */
export interface PortRequest {
  readonly host: string;
  /** In order of preference. `0` is any free port, which nobody else can want. */
  readonly ports: readonly number[];
  /** Longest wait for the user's other sign-ins, in seconds; the wait for the browser is counted anew after it. */
  readonly timeoutSeconds: number;
  /** Opens the listener on one port of the list, or says that it is taken. */
  readonly open: (port: number) => Promise<CallbackListener>;
}

/** A listener on a port that is this sign-in's alone. */
export interface OwnPort {
  readonly listener: CallbackListener;
  /**
   * The sign-in is settled. The port is passed on when the listener is closed, at the latest one second after its
   * page could be fetched; a later sign-in of this process closes it at once. To be called exactly once.
   */
  leave(): void;
}

/** A port with the right to it; without a lease where there is no lock: binding decides then. */
interface Turn {
  readonly port: number;
  readonly lease: Lease | undefined;
}

/** The search for a port of one sign-in. */
interface Search {
  readonly world: FlowWorld;
  readonly request: PortRequest;
  readonly signal: AbortSignal;
  /** Which process had a port when it was last heard of. */
  readonly holders: Map<number, number | undefined>;
  /** On the monotonic clock; set when the first wait begins. */
  waitEndsAt: number | undefined;
}

// A process that is killed may free its lock a moment before its port: the kernel closes one after the other.
const patienceMilliseconds = 300;
// Without a lock, the page of a sign-in that has just ended cannot be told from a stranger's port. It stays for 1 second.
const patienceWithoutLockMilliseconds = 1500;
const retryMilliseconds = 50;

/** Settled sign-ins of this process whose page may still be fetched: the next one does not wait for them. */
const leaving = new Set<{ readonly port: number; end(): Promise<void> }>();

/**
 * One lock for a port whatever the host: `localhost` takes the port on two addresses, `0.0.0.0` on all of one family,
 * so locks by address would let two sign-ins through of which one then fails to bind. That [::1] waits for 127.0.0.1,
 * where both could go on, costs less than that.
 */
function lockName(port: number): string {
  return `port:${String(port)}`;
}

/** Waits for the right to a port. `onHolder` is called when another has it, once for each that has. */
async function takeTurn(
  search: Search,
  port: number,
  signal: AbortSignal,
  onHolder: () => void,
): Promise<Turn> {
  const { portLock } = search.world;
  if (portLock === undefined || port === 0) return { port, lease: undefined };
  for (;;) {
    try {
      const taken = await portLock.acquire(lockName(port), {
        signal,
        // All waits together have one end, however many sign-ins come before: see `waitForFirst`.
        longestWorkSeconds: () => Number.POSITIVE_INFINITY,
        waitForLogin: true,
        onWaiting: ({ processId }) => {
          search.holders.set(port, processId);
          onHolder();
        },
      });
      if (!taken.held) continue;
      taken.announce("login");
      return { port, lease: taken };
    } catch (error) {
      // A lock that cannot be had keeps nobody off; the port itself still does. Not where one of ours stands still on it.
      if (signal.aborted || !isOidcError(error) || isHolderStopped(error)) throw error;
      return { port, lease: undefined };
    }
  }
}

/** True where another sign-in of this user has the port, and its process is stopped. */
function isHolderStopped(error: unknown): boolean {
  return isErrorOf(error, "cache_locked", "holder_stopped");
}

/** The right to a port where nobody of ours has it; undefined where somebody has. */
async function takeFree(search: Search, port: number): Promise<Turn | OidcError | undefined> {
  const held = new AbortController();
  try {
    const signal = AbortSignal.any([search.signal, held.signal]);
    return await takeTurn(search, port, signal, () => held.abort());
  } catch (error) {
    if (held.signal.aborted && !search.signal.aborted) return undefined;
    if (isOidcError(error) && isHolderStopped(error)) return error;
    throw error;
  }
}

function timeIsUp({ request, holders }: Search, ports: readonly number[]): OidcError {
  const where = `port${ports.length > 1 ? "s" : ""} ${ports.join(", ")} on ${request.host}`;
  const known = ports.map((port) => holders.get(port)).filter((each) => each !== undefined);
  const others = [...new Set(known)].filter((each) => each !== process.pid);
  const who =
    others.length > 0
      ? `${others.length > 1 ? "processes" : "process"} ${others.join(", ")}`
      : known.length > 0
        ? "another sign-in of this program"
        : "another sign-in of yours";
  const orEndIt = others.length > 0 ? say` or end it (${run(`kill ${others.join(" ")}`)})` : "";
  return new OidcError(
    "callback_timeout",
    `The sign-in did not begin, because ${who} still waits for a browser on ${where} after ${counted(request.timeoutSeconds, "second")}.`,
    {
      remedy: say`Finish that sign-in${orEndIt} and start again, or register and set another ${option("callbackPort")}.`,
    },
  );
}

/**
 * Waits until one of the ports is passed on.
 * @throws {OidcError} `callback_timeout` at the end of all waits of this search.
 */
async function waitForFirst(search: Search, ports: readonly number[]): Promise<Turn> {
  const { world, request } = search;
  const { clock } = world;
  const now = clock.monotonic();
  search.waitEndsAt ??= now + request.timeoutSeconds * 1000;
  const over = new AbortController();
  const signal = AbortSignal.any([search.signal, over.signal]);
  clock.sleep(Math.max(0, search.waitEndsAt - now), { signal: over.signal }).then(
    () => over.abort(timeIsUp(search, ports)),
    () => undefined,
  );
  const turns = ports.map((port) =>
    takeTurn(search, port, signal, () => {
      // One line about one process is enough, where a list of ports is taken by several.
      if (port !== ports[0]) return;
      const processId = search.holders.get(port);
      world.prompt({
        type: "waitingForOther",
        ...(processId === undefined ? {} : { processId }),
        phase: "login",
      });
    }),
  );
  let first: Turn | undefined;
  try {
    first = await Promise.race(turns);
    world.prompt({ type: "settled" });
    return first;
  } finally {
    over.abort();
    for (const turn of await Promise.allSettled(turns)) {
      if (turn.status === "fulfilled" && turn.value !== first) await turn.value.lease?.abandon();
    }
  }
}

/** Opens the listener on a port whose turn it is; gives the port back where that fails. */
async function openOn(search: Search, turn: Turn): Promise<OwnPort | OidcError> {
  const { world, request } = search;
  try {
    const listener = await request.open(turn.port);
    return ownPort(world, listener, turn.lease);
  } catch (error) {
    await turn.lease?.abandon();
    if (isOidcError(error) && error.code === "callback_port_in_use") return error;
    throw error;
  }
}

function ownPort(world: FlowWorld, listener: CallbackListener, lease: Lease | undefined): OwnPort {
  return {
    listener,
    leave() {
      const { port } = listener;
      // After the port is free, not before: whoever is next would find it taken.
      const left = listener.ended.then(async () => {
        await lease?.abandon();
        world.background.delete(left);
        leaving.delete(former);
      });
      const former = {
        port,
        end: async () => {
          await listener.close();
          await left;
        },
      };
      world.background.add(left);
      leaving.add(former);
    },
  };
}

/** What to say where no port can be had; one that is taken may be free in a moment. */
function noneFree(
  request: PortRequest,
  failures: readonly OidcError[],
): { readonly error: OidcError; readonly mayPass: boolean } {
  const [first] = failures;
  const taken = failures.filter((each) => each.reason === undefined);
  if (first !== undefined && (taken.length === 0 || request.ports.length === 1)) {
    return { error: first, mayPass: taken.length > 0 };
  }
  return { error: portsTaken(request.host, request.ports), mayPass: true };
}

/**
 * Opens the listener of a sign-in on a port that no other sign-in of this user has, before anything is shown.
 *
 * | port | then |
 * |---|---|
 * | free | opened |
 * | a sign-in of this user has it | the next of the list; where all are taken, the first to be passed on is waited for |
 * | anything else has it | the next of the list; where all are taken, `callback_port_in_use` at once |
 *
 * A wait ends when one of our sign-ins ends or its process dies, however it dies; not when a stranger leaves.
 *
 * Who keeps whom off: all programs of one user on one machine that name the same state folder, command line and library
 * alike, several sign-ins of one process too. Another user, another state folder or an older program is a stranger. So is
 * everybody where the system gives no lock across processes: then the port decides alone.
 *
 * @throws {OidcError} `callback_timeout` where the others took longer than `timeoutSeconds` together;
 * `callback_port_in_use`; `cache_locked` (reason `holder_stopped`) where the process that has it is stopped; the
 * signal's reason when it aborts.
 * @see RFC 8252 section 7.3 (a fixed port is a deviation that many providers force)
 */
export async function openInTurn(
  world: FlowWorld,
  request: PortRequest,
  signal: AbortSignal,
): Promise<OwnPort> {
  const search: Search = { world, request, signal, holders: new Map(), waitEndsAt: undefined };
  const former = [...leaving].filter(({ port }) => request.ports.includes(port));
  await Promise.all(former.map((each) => each.end()));
  let patienceEndsAt: number | undefined;
  for (;;) {
    const busy: number[] = [];
    const failures: OidcError[] = [];
    let isLocked = true;
    for (const port of request.ports) {
      const turn = await takeFree(search, port);
      if (turn === undefined) {
        busy.push(port);
        continue;
      }
      if (isOidcError(turn)) {
        failures.push(turn);
        continue;
      }
      isLocked &&= turn.lease?.acrossProcesses === true;
      const opened = await openOn(search, turn);
      if (!isOidcError(opened)) return opened;
      failures.push(opened);
    }
    if (busy.length > 0) {
      const opened = await openOn(search, await waitForFirst(search, busy));
      if (!isOidcError(opened)) return opened;
      patienceEndsAt = undefined;
      continue;
    }
    const { error, mayPass } = noneFree(request, failures);
    const now = world.clock.monotonic();
    patienceEndsAt ??= now + (isLocked ? patienceMilliseconds : patienceWithoutLockMilliseconds);
    if (!mayPass || now >= patienceEndsAt) throw error;
    await world.clock.sleep(retryMilliseconds, { signal });
  }
}
