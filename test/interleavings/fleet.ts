// One run of a fleet: real sessions over the real store in Redis, on a Redis of the run, while one of its programs
// is stopped for longer than its lease. Changes when more must hold for a lock that ends with its time.
import * as fc from "fast-check";
import { isOidcError } from "../../src/core/errors.ts";
import { expireIfOverdue } from "../../src/core/timed-signal.ts";
import type { World } from "../../src/core/world.ts";
import type { TokenAnswer } from "../../src/flow/flow-world.ts";
import type { SessionRecord } from "../../src/record/format.ts";
import { recordOfSignIn } from "../../src/session/record-of.ts";
import { lateWriteMilliseconds } from "../../src/session/refresh-intent.ts";
import { StoredSession } from "../../src/session/session.ts";
import { createRedisStore } from "../../src/store/redis/redis-store.ts";
import { sealedValues } from "../../src/store/sealed-value.ts";
import { Machine, type Process } from "./machine.ts";
import { Provider } from "./provider.ts";
import { RedisDouble } from "./redis.ts";
import type { RunResult } from "./run.ts";
import type { ProcessPlan, Scenario } from "./scenario.ts";

const key = "key";
const secret = new Uint8Array(32).fill(7);
// The lease of 30 seconds is over, and so is the time for which another's refresh is left alone.
const stopMilliseconds = 40_000;
// So long before its lease the work of a holder ends (redis-lease.ts).
const marginMilliseconds = 5000;

type Place = "before its request" | "after its request" | "after a sign-in";

/** One run of a fleet. */
export interface FleetScenario extends Scenario {
  /** Where the first one that comes there is stopped, for longer than its lease. */
  readonly stopsAt: Place;
  /** The turns of the others meanwhile. */
  readonly stopTurns: number;
  /** Whether Redis refuses what an earlier holder writes. */
  readonly hasFence: boolean;
}

/** Runs of two to four programs, each on a machine of its own. */
export function fleets(changes: Partial<FleetScenario> = {}): fc.Arbitrary<FleetScenario> {
  const call = fc.record({
    kind: fc.constantFrom("get" as const, "force" as const, "force" as const, "login" as const),
    interactive: fc.constant(false),
    delay: fc.nat(12),
    abortAfter: fc.constant(null),
  });
  const one: fc.Arbitrary<ProcessPlan> = fc.record({
    host: fc.constant(0),
    calls: fc.array(call, { minLength: 1, maxLength: 2 }),
    parallel: fc.constant(false),
    crashAfter: fc.oneof(
      { weight: 8, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.nat(40) },
    ),
  });
  return fc
    .record({
      rotation: fc.constantFrom<Scenario["rotation"][]>("strict", "grace", "single-use", "none"),
      start: fc.constant("expired" as const),
      processes: fc.array(one, { minLength: 2, maxLength: 4 }),
      answers: fc.constant([]),
      person: fc.constant([]),
      endedAfter: fc.constant(null),
      atomicAcrossHosts: fc.constant(true),
      punctual: fc.constant(true),
      slowMilliseconds: fc.constant(0),
      stopsAt: fc.constantFrom<Place[]>(
        "before its request",
        "after its request",
        "after its request",
        "after a sign-in",
      ),
      stopTurns: fc.integer({ min: 0, max: 120 }),
      hasFence: fc.constant(true),
    })
    .map((scenario) => ({ ...scenario, ...changes }));
}

/** One refresh request. */
interface Sent {
  readonly refreshToken: string;
  readonly at: number;
}

/** What all programs of a run share. */
class Fleet {
  readonly machine: Machine;
  readonly provider: Provider;
  readonly redis: RedisDouble;
  readonly #values = sealedValues([secret]);
  record: SessionRecord | undefined;
  readonly sent: Sent[] = [];
  /** The number of the lease of the last one that wrote tokens. */
  #writtenBy = 0;
  /** A refusal was believed before the one who has the answer could go on. */
  isGivenUp = false;
  readonly #scenario: FleetScenario;
  #hasStopped = false;

  constructor(scenario: FleetScenario, scheduler: fc.Scheduler) {
    this.#scenario = scenario;
    this.machine = new Machine(scenario, scheduler);
    this.provider = new Provider(this.machine);
    // What holds for two requests with one token is looked at here.
    this.provider.isShared = true;
    this.redis = new RedisDouble(() => this.machine.now, scenario);
    this.redis.onWritten = (keys, words) => this.#check(keys, words);
  }

  #check([name]: readonly string[], words: readonly string[]): void {
    const [, version = "", sealed = "", fence = ""] = words;
    const before = this.record;
    const opened = this.#values.open(sealed, JSON.stringify([name, version]));
    if (opened.state !== "open") {
      this.record = undefined;
      return;
    }
    const next = JSON.parse(opened.text) as SessionRecord;
    this.record = next;
    const { machine, provider } = this;
    if (next.refreshToken === undefined && machine.millisecondsSinceStop < lateWriteMilliseconds) {
      this.isGivenUp = true;
    }
    if (provider.isOlder(next.refreshToken, before?.refreshToken)) {
      machine.violated("an older refresh token takes the place of a newer one");
    }
    if (provider.isOlder(next.accessToken?.token, before?.accessToken?.token)) {
      machine.violated("an older access token takes the place of a newer one");
    }
    const hasNewTokens = next.accessToken?.token !== before?.accessToken?.token;
    if (fence === "" || !hasNewTokens) return;
    if (Number(fence) < this.#writtenBy) {
      machine.violated("the tokens of an earlier holder take the place of a later one's");
    }
    this.#writtenBy = Math.max(this.#writtenBy, Number(fence));
  }

  /** A process comes to a place. */
  comesTo(process: Process, place: Place): void {
    const { stopsAt, stopTurns } = this.#scenario;
    if (this.#hasStopped || place !== stopsAt) return;
    this.#hasStopped = true;
    this.machine.stop(process, stopTurns, stopMilliseconds);
  }

  /** Right before a refresh is sent. */
  checkSend(process: Process, refreshToken: string): void {
    const { machine } = this;
    const before = this.sent.findLast((sent) => sent.refreshToken === refreshToken);
    // Whoever is still at it has as much time to send; afterwards nobody knows what became of the request.
    if (before !== undefined && machine.now - before.at < marginMilliseconds) {
      const rotates = machine.scenario.rotation !== "none";
      if (rotates) machine.violated(`process ${String(process.id)} sends what another just sent`);
    }
    this.sent.push({ refreshToken, at: machine.now });
  }
}

/** The store of one program, over its own way to Redis. */
function storeOf(fleet: Fleet, process: Process): ReturnType<typeof createRedisStore> {
  const { machine, redis } = fleet;
  const travels = async (): Promise<void> => {
    await machine.step(process, "asks Redis");
    await machine.anywhere("on the way to Redis");
  };
  const client = redis.client(travels, () => machine.step(process, "hears Redis"));
  return createRedisStore({
    client: () => Promise.resolve(client),
    location: "the run",
    key: secret,
    prefix: "run",
    clock: machine.clockOf(process),
    randomBytes: (length) => randomBytes(machine, length),
    machine: `machine ${String(process.id)}`,
  });
}

/** The same in every run with the same seed. */
function randomBytes(machine: Machine, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, machine.serial);
  return bytes;
}

function sessionOf(fleet: Fleet, process: Process): StoredSession {
  const { machine, provider } = fleet;
  const store = storeOf(fleet, process);
  const world: World = {
    clock: machine.clockOf(process),
    randomBytes: (length) => randomBytes(machine, length),
    environment: {},
    platform: "linux",
    whyNoBrowser: () => Promise.resolve(undefined),
    openBrowser: () => Promise.resolve({ opened: true }),
    prompt: () => undefined,
    logger: undefined,
    canPrompt: true,
    terminal: false,
    background: new Set(),
  };
  return new StoredSession({
    world,
    records: store,
    lock: store,
    flows: {
      needsPerson: true,
      longestWorkSeconds: { refresh: 30, login: 300 },
      assertConfigured: () => undefined,
      signIn: async ({ signal, beforePrompt = () => Promise.resolve() }) => {
        await beforePrompt();
        await machine.step(process, "signs in");
        signal.throwIfAborted();
        const brought: TokenAnswer = provider.signIn();
        fleet.comesTo(process, "after a sign-in");
        await machine.step(process, "has signed in");
        return { ...brought, clientId: "cli", server: undefined };
      },
      refresh: async (record, signal) => {
        fleet.comesTo(process, "before its request");
        await machine.step(process, "sends");
        // As right before a request that cannot be taken back (http/wire.ts).
        expireIfOverdue(signal);
        signal.throwIfAborted();
        fleet.checkSend(process, record.refreshToken);
        const answered = provider.refresh(process, record.refreshToken, signal);
        fleet.comesTo(process, "after its request");
        return answered;
      },
      userInfo: () => Promise.resolve({ sub: "alice" }),
      revoke: () => Promise.resolve({ revoked: "yes", accessTokenStays: false }),
    },
    config: {
      key,
      issuer: "https://id.example.com",
      clientId: "cli",
      configured: { scopes: undefined, resource: undefined },
    },
    signedInSince: null,
    host: () => store.reach,
    maxUnansweredPrompts: 3,
  });
}

const isExpected =
  /^(?:refresh|cache|login|killed|store_unavailable: lock_lost|interaction_pending)$/;

/** How each call of a program ended. */
async function callAll(fleet: Fleet, process: Process, ends: string[]): Promise<void> {
  const session = sessionOf(fleet, process);
  for (const { kind, delay } of process.plan.calls) {
    for (let turns = 0; turns < delay; turns += 1) await fleet.machine.anywhere("later");
    const at = ends.push(process.alive ? "never" : "killed") - 1;
    process.atDeath.add(() => {
      if (ends[at] === "never") ends[at] = "killed";
    });
    try {
      const options = { interactive: false, forceRefresh: kind === "force" };
      const { source } =
        kind === "login" ? (await session.login()).token : await session.getToken(options);
      ends[at] = source;
    } catch (error) {
      if (!isOidcError(error)) throw error;
      ends[at] = [error.code, ...(error.reason === undefined ? [] : [error.reason])].join(": ");
    }
  }
}

/** Runs a scenario to its end. */
export async function runFleet(
  scenario: FleetScenario,
  scheduler: fc.Scheduler,
): Promise<RunResult> {
  const fleet = new Fleet(scenario, scheduler);
  const { machine, provider } = fleet;
  const answer = provider.signIn();
  const then = Math.floor(machine.now / 1000) - 7200;
  provider.setEnd(answer.accessToken, (then + 3600) * 1000);
  const record = recordOfSignIn(
    { ...answer, clientId: "cli", server: undefined, issuedAt: then, expiresAt: then + 3600 },
    {
      key,
      clientId: "cli",
      previous: undefined,
      now: then * 1000,
      newRecordId: () => "0",
      host: "nobody",
    },
  );
  const first = machine.createProcess({ host: 0, calls: [], parallel: false, crashAfter: null });
  void storeOf(fleet, first).replace(key, undefined, record);
  await machine.run();
  const ends: string[] = [];
  const processes = scenario.processes.map((plan) => machine.createProcess(plan));
  for (const process of processes) void callAll(fleet, process, ends);
  await machine.run();
  const hasDied = processes.some(({ alive }) => !alive);
  const token = fleet.record?.refreshToken;
  // Every answer has been read, and by a program that lived on: so it is in the record, or a newer one is.
  const isWhole = !hasDied && !fleet.isGivenUp && provider.losses === 0;
  const isAlive = token !== undefined && provider.isAlive(token);
  for (const end of ends) {
    const mayEnd = !isWhole || scenario.rotation === "strict" || scenario.rotation === "single-use";
    if (isExpected.test(end) || (mayEnd && end.startsWith("login_required"))) continue;
    machine.violated(`a call ends with ${end}`);
  }
  if (isWhole && scenario.rotation !== "strict" && !isAlive) {
    machine.violated("all answers were read, and the sign-in is over");
  }
  if (isWhole && isAlive && scenario.rotation !== "none" && provider.isUsed(token)) {
    machine.violated("all answers were read, and the newest refresh token is not in the record");
  }
  const last = machine.createProcess({
    host: 0,
    calls: [{ kind: "login", interactive: true, delay: 0, abortAfter: null }],
    parallel: false,
    crashAfter: null,
  });
  const lastEnds: string[] = [];
  machine.nothingMore();
  void callAll(fleet, last, lastEnds);
  await machine.run();
  if (lastEnds[0] !== "login") machine.violated(`a sign-in ends with ${String(lastEnds[0])}`);
  const tokens = fleet.sent.map(({ refreshToken }) => refreshToken);
  const again = tokens.length > new Set(tokens).size ? ["sent again"] : [];
  return { violations: machine.violations, ends: [...ends, ...again] };
}
