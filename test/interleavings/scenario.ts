// What happens in one run: who calls what, who dies, what provider and person do. Changes when runs must differ in
// another way.
import * as fc from "fast-check";

/** What a provider makes of refresh tokens. */
export type Rotation =
  /** A used one that comes back ends the whole family. */
  | "strict"
  /** The same, but the very next request with the token just used gets the same answer again. */
  | "grace"
  /** A used one is refused, and nothing else happens. */
  | "single-use"
  /** The refresh token stays the same. */
  | "none";

/** What becomes of one request to the token endpoint. */
export type AnswerFate =
  | "ok"
  /** Takes longer than another host waits. */
  | "slow"
  | "rate-limited"
  | "lost-before"
  | "lost-after";

/** What a person does with a prompt. */
export type PersonAct = "signs in" | "refuses" | "ignores";

/** One call of a program. */
export interface CallPlan {
  readonly kind: "get" | "force" | "rejected" | "target" | "login" | "logout" | "logout-revoke";
  readonly interactive: boolean;
  /** Turns of the scheduler before it begins. */
  readonly delay: number;
  /** Steps of its process after which it is aborted; null: never. */
  readonly abortAfter: number | null;
}

/** One program. */
export interface ProcessPlan {
  /** Index of the host: processes of one host share a lock. */
  readonly host: number;
  readonly calls: readonly CallPlan[];
  /** All calls at once, instead of one after the other. */
  readonly parallel: boolean;
  /** Steps after which it dies, as by `kill -9`; null: never. */
  readonly crashAfter: number | null;
}

/** One run. */
export interface Scenario {
  readonly rotation: Rotation;
  readonly start: "expired" | "ending" | "fresh" | "nothing";
  readonly processes: readonly ProcessPlan[];
  readonly answers: readonly AnswerFate[];
  readonly person: readonly PersonAct[];
  /** Turns after which the provider's administrator ends every sign-in; null: never. */
  readonly endedAfter: number | null;
  /** Whether the compare and the write of a store are one step for the other host. */
  readonly atomicAcrossHosts: boolean;
  /** Whether sleeps end only when nothing else can happen: every request is quick. */
  readonly punctual: boolean;
  /** How long a slow answer takes. */
  readonly slowMilliseconds: number;
}

/** Another host waits for 30 seconds; what it then sends is refused, which it believes two seconds later. */
export const inTimeMilliseconds = 31_000;

function rarely<Value>(value: fc.Arbitrary<Value>, weight: number): fc.Arbitrary<Value | null> {
  return fc.oneof({ weight: 10, arbitrary: fc.constant(null) }, { weight, arbitrary: value });
}

function callPlan(faults: boolean): fc.Arbitrary<CallPlan> {
  return fc.record({
    kind: fc.oneof(
      { weight: 14, arbitrary: fc.constant("get" as const) },
      { weight: 6, arbitrary: fc.constant("force" as const) },
      { weight: 2, arbitrary: fc.constant("rejected" as const) },
      { weight: 2, arbitrary: fc.constant("target" as const) },
      { weight: 1, arbitrary: fc.constant("login" as const) },
      { weight: faults ? 1 : 0, arbitrary: fc.constant("logout" as const) },
      { weight: faults ? 1 : 0, arbitrary: fc.constant("logout-revoke" as const) },
    ),
    interactive: fc.boolean(),
    delay: fc.nat(16),
    abortAfter: rarely(fc.nat(25), faults ? 1 : 0),
  });
}

/** Runs with this many hosts; without faults nobody dies, aborts, logs out or loses an answer. */
export function scenarios(options: { hosts: 1 | 2; faults: boolean }): fc.Arbitrary<Scenario> {
  const { hosts, faults } = options;
  const fate = fc.oneof(
    { weight: 6, arbitrary: fc.constant("ok" as const) },
    { weight: faults ? 1 : 0, arbitrary: fc.constant("rate-limited" as const) },
    { weight: faults ? 1 : 0, arbitrary: fc.constant("lost-before" as const) },
    { weight: faults ? 1 : 0, arbitrary: fc.constant("lost-after" as const) },
  );
  const act = fc.oneof(
    { weight: 2, arbitrary: fc.constant("signs in" as const) },
    { weight: faults ? 1 : 0, arbitrary: fc.constant("refuses" as const) },
    { weight: faults ? 6 : 0, arbitrary: fc.constant("ignores" as const) },
  );
  return fc.record({
    rotation: fc.constantFrom<Rotation[]>("strict", "strict", "grace", "single-use", "none"),
    start: fc.constantFrom<Scenario["start"][]>("expired", "expired", "ending", "fresh", "nothing"),
    processes: fc.array(
      fc.record({
        host: fc.nat(hosts - 1),
        calls: fc.array(callPlan(faults), { minLength: 1, maxLength: 3 }),
        parallel: fc.boolean(),
        crashAfter: rarely(fc.nat(30), faults ? 5 : 0),
      }),
      { minLength: 2, maxLength: 6 },
    ),
    answers: fc.array(fate, { maxLength: 6 }),
    person: fc.array(act, { maxLength: 6 }),
    endedAfter: rarely(fc.nat(60), faults ? 1 : 0),
    atomicAcrossHosts: fc.boolean(),
    punctual: fc.boolean(),
    slowMilliseconds: fc.constant(inTimeMilliseconds),
  });
}

/**
 * Two hosts whose programs renew one sign-in at the same time, over a store that compares and swaps, so slowly that one
 * does not wait for the other; nobody dies.
 */
export function duels(): fc.Arbitrary<Scenario> {
  const call = fc.record({
    kind: fc.constantFrom("get" as const, "get" as const, "force" as const),
    interactive: fc.constant(false),
    delay: fc.nat(3),
    abortAfter: fc.constant(null),
  });
  const processOf = (host: number): fc.Arbitrary<ProcessPlan> =>
    fc.record({
      host: fc.constant(host),
      calls: fc.array(call, { minLength: 1, maxLength: 2 }),
      parallel: fc.constant(false),
      crashAfter: fc.constant(null),
    });
  return fc.record({
    // Where the reuse of a refresh token ends the whole family, nothing heals (docs/lock/protocol.md, step 8).
    rotation: fc.constantFrom("grace" as const, "single-use" as const, "none" as const),
    start: fc.constant("expired" as const),
    processes: fc.tuple(processOf(0), processOf(1)),
    answers: fc.array(fc.constantFrom("ok" as const, "slow" as const), { maxLength: 3 }),
    person: fc.constant([]),
    endedAfter: fc.constant(null),
    atomicAcrossHosts: fc.constant(true),
    punctual: fc.boolean(),
    // Just in time, or at the moment when the other host gives it up.
    slowMilliseconds: fc.oneof(
      fc.constant(inTimeMilliseconds),
      fc.integer({ min: inTimeMilliseconds + 1000, max: inTimeMilliseconds + 1060 }),
    ),
  });
}
