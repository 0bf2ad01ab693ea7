// The typed event map: the one list of what a log may be told. Changes when something new is worth logging.

/**
 * Names and payloads of everything that Latchkey reports while it works. Payloads are safe by construction: hosts,
 * codes, counts and durations; never a token, code, state, verifier, secret, claim or query string.
 */
export interface LatchkeyEvents {
  /**
   * A call looked into the store, at `location`, and what lay there was its answer, or was not. A call within a second
   * of another one that asks for the same is answered without a look, and without an event.
   */
  "cache.hit": { location: string };
  "cache.miss": { location: string; why: "absent" | "expired" | "not_satisfying" };
  "cache.written": { path: string };
  "cache.damaged": { path: string; movedTo: string };
  "lock.acquired": { waitedMilliseconds: number };
  "lock.waiting": { processId?: number; phase: "refresh" | "login" };
  "lock.told": { outcome: "done" | "failed" };
  "lock.released": { outcome: "done" | "failed" };
  "lock.unavailable": { why: string };
  "http.request": { method: string; host: string; step: string };
  "http.response": { host: string; step: string; status: number; milliseconds: number };
  "http.failed": { host: string; step: string; code: string };
  "discovery.cached": { host: string };
  "refresh.needed": { host: string };
  "refresh.announced": { host: string };
  "refresh.started": { host: string };
  "refresh.finished": { host: string; rotated: boolean };
  "record.kept": { where: "store" | "memory" };
  "login.started": { host: string; flow: "auth_code" | "device" };
  "login.finished": { host: string };
  "login.way_ended": { host: string; flow: "auth_code" | "device"; code: string };
  "device.code_issued": { host: string; expiresInSeconds: number; intervalSeconds: number };
  "device.polled": {
    host: string;
    outcome: "granted" | "pending" | "slow_down" | "unreachable";
    nextInSeconds: number;
  };
  "listener.ignored": { why: string };
  "browser.opened": { command: string };
  /** The browser has fetched the address that it was given; whether the system said that it is this user's. */
  "browser.arrived": { program: "own" | "unknown" };
  "browser.failed": { why: string };
}

/** One event with its payload. */
export type LatchkeyEvent = {
  [Name in keyof LatchkeyEvents]: { name: Name; data: LatchkeyEvents[Name] };
}[keyof LatchkeyEvents];

/** Receives events. What it throws is ignored. */
export type Logger = (event: LatchkeyEvent) => void;

/** Channel of `node:diagnostics_channel` on which every event is published, whoever logs. */
export const eventChannel = "latchkey:events";

/**
 * Reports one event to a logger that may be absent or faulty, and to whoever watches the process from outside: tests
 * that end a program at a named point of its work watch the very program that people run.
 */
export function emit<Name extends keyof LatchkeyEvents>(
  logger: Logger | undefined,
  name: Name,
  data: LatchkeyEvents[Name],
): void {
  const channel = process.getBuiltinModule("node:diagnostics_channel").channel(eventChannel);
  if (channel.hasSubscribers) channel.publish({ name, data });
  if (logger === undefined) return;
  try {
    // One that is asynchronous fails later, and would end the process as an unhandled rejection.
    Promise.resolve(logger({ name, data } as LatchkeyEvent)).catch(() => undefined);
  } catch {
    // A log that fails must not fail a sign-in.
  }
}
