// One run of a scenario under one schedule, and what must hold at its end. Changes when more must hold.
import type * as fc from "fast-check";
import { recordOfSignIn } from "../../src/session/record-of.ts";
import { Program, type Call, type Place } from "./calls.ts";
import { Disk, isOneHost } from "./disk.ts";
import { Locks } from "./lock.ts";
import { Machine } from "./machine.ts";
import { Prompts } from "./prompts.ts";
import { Provider } from "./provider.ts";
import { inTimeMilliseconds, type CallPlan, type Scenario } from "./scenario.ts";

/** What a run came to. */
export interface RunResult {
  readonly violations: readonly string[];
  /** How its calls ended, for whoever counts what was met. */
  readonly ends: readonly string[];
}

const startSeconds = { expired: -3600, ending: -3570, fresh: 0, nothing: 0 } as const;

function prepare({ machine, disk, provider }: Place): void {
  const { start } = machine.scenario;
  if (start === "nothing") return;
  const answer = provider.signIn();
  const then = Math.floor(machine.start / 1000) + startSeconds[start];
  provider.setEnd(answer.accessToken, (then + 3600) * 1000);
  disk.prepare(
    recordOfSignIn(
      { ...answer, clientId: "cli", server: undefined, issuedAt: then, expiresAt: then + 3600 },
      {
        key: "key",
        clientId: "cli",
        previous: undefined,
        now: then * 1000,
        newRecordId: () => "0",
        host: "host-0",
      },
    ),
  );
}

function describe(call: Call): string {
  const { end } = call;
  if (end === undefined) return "never";
  return "token" in end ? end.source : end.failure;
}

/** The plan of the one call that is made when everything else is over. */
const lastCall: CallPlan = { kind: "force", interactive: false, delay: 0, abortAfter: null };

async function lastLook(place: Place, host: number, plan: CallPlan): Promise<string> {
  const process = place.machine.createProcess({
    host,
    calls: [plan],
    parallel: false,
    crashAfter: null,
  });
  const program = new Program(place, process);
  const ended = program.run();
  await place.machine.run();
  const [call] = program.calls;
  if (call?.end === undefined) return "never";
  await ended;
  return describe(call);
}

/** What docs/lock/protocol.md promises for the time after: the sign-in lives, or everybody learns why not. */
async function checkAfter(place: Place): Promise<string> {
  const { machine, disk, provider, prompts } = place;
  const record = disk.record;
  const refreshToken = record?.refreshToken;
  const isNewest = refreshToken !== undefined && !provider.isUsed(refreshToken);
  const isAlive = refreshToken !== undefined && provider.isAlive(refreshToken);
  const isOne = isOneHost(machine);
  if (isOne && refreshToken !== undefined && !isNewest) {
    if (machine.scenario.rotation !== "none" && !provider.wasLost(refreshToken)) {
      machine.violated("the stored refresh token is not the newest, and no answer was lost");
    }
    if (record?.intent === undefined) machine.violated("an answer was lost, and nothing says so");
  }
  provider.answerAllFromNowOn();
  machine.nothingMore();
  const end = await lastLook(place, machine.scenario.processes[0]?.host ?? 0, lastCall);
  const isHealable = isAlive && (isNewest || machine.scenario.rotation === "none");
  if (isHealable && end !== "refresh") machine.violated(`a living sign-in ends with ${end}`);
  if (end === "never") machine.violated("the last call never ends");
  if (isOne && refreshToken !== undefined && !isHealable && end !== "refresh") {
    const expected =
      record?.intent === undefined
        ? "login_required: refresh_refused"
        : "login_required: refresh_lost";
    if (end !== expected) machine.violated(`${end} where ${expected} was due`);
  }
  // A person heals everything.
  prompts.signInFromNowOn();
  const healed = await lastLook(place, 0, { ...lastCall, kind: "login", interactive: true });
  if (healed !== "login") machine.violated(`a sign-in on purpose ends with ${healed}`);
  return end;
}

function allowedFailures(place: Place, call: Call): RegExp {
  const { disk, provider, prompts, machine } = place;
  const { plan } = call;
  const plans = machine.scenario.processes.flatMap(({ calls }) => calls);
  const allowed = ["logged out"];
  if (call.wasAborted) allowed.push("aborted");
  if (!plan.interactive && plans.some((one) => one.interactive || one.kind === "login")) {
    allowed.push("interaction_pending");
  }
  if (prompts.seen.has("refuses")) allowed.push("access_denied");
  if (prompts.seen.has("ignores")) allowed.push("callback_timeout");
  if (machine.scenario.answers.some((fate) => fate !== "ok" && fate !== "slow")) {
    allowed.push("network: reset", "rate_limited");
  }
  const mayBeOut = machine.scenario.start === "nothing" || disk.deletions > 0;
  if (mayBeOut) allowed.push("login_required: no_token");
  const mayBeLost = disk.mayBeLost();
  // Two hosts: only where requests are quick, and the store compares and swaps, is there one at a time.
  const { punctual, atomicAcrossHosts, slowMilliseconds } = machine.scenario;
  const isInTime = punctual && slowMilliseconds <= inTimeMilliseconds;
  const mayRace = !isOneHost(machine) && !(isInTime && atomicAcrossHosts);
  // Somebody who logged out elsewhere took the sign-in for it away, or it was ended.
  if (plan.kind === "target" && (mayBeOut || provider.hasEndedAll)) {
    allowed.push("token_request_failed: not_granted");
  }
  if (mayBeLost || mayRace || provider.hasEndedAll) {
    allowed.push("login_required: refresh_lost", "login_required: refresh_refused");
  }
  // Whoever may not prompt takes the outcome of who might.
  if (plans.some(({ interactive }) => interactive)) allowed.push("login_required: prompt_budget");
  return new RegExp(`^(?:${allowed.join("|")})$`);
}

function checkCalls(place: Place, programs: readonly Program[]): void {
  const { machine } = place;
  for (const { process, calls } of programs) {
    if (!process.alive) continue;
    if (calls.length < process.plan.calls.length) {
      machine.violated(`process ${String(process.id)} never comes to its last call`);
    }
    for (const call of calls) {
      const end = describe(call);
      const name = `process ${String(process.id)} (${call.plan.kind})`;
      if (end === "never") machine.violated(`${name} waits for ever`);
      else if (call.end !== undefined && "failure" in call.end) {
        if (!allowedFailures(place, call).test(end)) machine.violated(`${name} ends with ${end}`);
      }
    }
  }
}

/** Nobody asks the provider without need: each refresh that it gave was wanted. */
function checkCount(place: Place, programs: readonly Program[]): void {
  const { machine, provider, prompts } = place;
  if (!isOneHost(machine)) return;
  const calls = programs.flatMap((program) => program.calls);
  const wishes = calls.filter(({ plan }) => ["force", "rejected"].includes(plan.kind)).length;
  const targets = calls.filter(({ plan }) => plan.kind === "target").length;
  // A new sign-in brings new tokens, for which the further ones are fetched anew.
  const deaths = programs.filter(({ process }) => !process.alive).length;
  const most = 1 + wishes + targets * (1 + prompts.shown) + provider.losses + deaths;
  if (provider.exchanges > most) {
    machine.violated(`${String(provider.exchanges)} refreshes, where ${String(most)} were wanted`);
  }
}

/** Runs a scenario to its end. */
export async function run(scenario: Scenario, scheduler: fc.Scheduler): Promise<RunResult> {
  const machine = new Machine(scenario, scheduler);
  const provider = new Provider(machine);
  const disk = new Disk(machine, provider);
  const place: Place = {
    machine,
    provider,
    disk,
    locks: new Locks(machine),
    prompts: new Prompts(machine, provider),
  };
  provider.isShared = !isOneHost(machine);
  provider.isKept = (token) => disk.record === undefined || disk.everStored.has(token);
  disk.onDeletion = () => place.prompts.forgetCount();
  prepare(place);
  if (scenario.endedAfter !== null) machine.after(scenario.endedAfter, () => provider.endAll());
  const programs = scenario.processes.map((plan) => {
    const process = machine.createProcess(plan);
    process.atDeath.add(() => {
      disk.hasQuitters = true;
    });
    return new Program(place, process);
  });
  for (const program of programs) void program.run();
  await machine.run();
  checkCalls(place, programs);
  checkCount(place, programs);
  const last = await checkAfter(place);
  const ends = programs.flatMap(({ process, calls }) =>
    calls.map((call) => (process.alive ? describe(call) : "killed")),
  );
  return { violations: machine.violations, ends: [...ends, `last: ${last}`] };
}
