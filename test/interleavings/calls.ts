// One program: its session, its calls, and what must hold for how each ends. Changes when a call can ask for or get
// something else.
import { isOidcError } from "../../src/core/errors.ts";
import type { GetTokenOptions } from "../../src/core/types.ts";
import type { World } from "../../src/core/world.ts";
import { StoredSession } from "../../src/session/session.ts";
import type { WorkOutcome } from "../../src/store/token-store.ts";
import type { Disk } from "./disk.ts";
import { isOneHost } from "./disk.ts";
import type { Locks } from "./lock.ts";
import type { Machine, Process } from "./machine.ts";
import { maxUnansweredPrompts, type Prompts } from "./prompts.ts";
import type { Provider } from "./provider.ts";
import type { CallPlan } from "./scenario.ts";
import type { SessionRecord } from "../../src/record/format.ts";

const key = "key";
// The default of `minValiditySeconds`, and time for a run.
const freshSeconds = 120;

/** What all programs of a run share. */
export interface Place {
  readonly machine: Machine;
  readonly disk: Disk;
  readonly locks: Locks;
  readonly provider: Provider;
  readonly prompts: Prompts;
}

/** How a call ended: a token, or the code and reason of its failure. */
export type End =
  | { readonly token: string; readonly source: string }
  | { readonly failure: string };

/** One call, as it went. */
export interface Call {
  readonly process: Process;
  readonly plan: CallPlan;
  end?: End;
  wasAborted: boolean;
}

/** A program with a session of its own. */
export class Program {
  readonly process: Process;
  readonly calls: Call[] = [];
  readonly #place: Place;
  readonly #session: StoredSession;
  /** The failure that a holder told this program's waiting call; that call must not try itself. */
  #told = false;
  #isSigningInOnPurpose = false;
  /** The call in progress, where there is only one at a time, and the token that was stored when it began. */
  #current: { readonly plan: CallPlan; readonly before: string | undefined } | undefined;

  constructor(place: Place, process: Process) {
    this.#place = place;
    this.process = process;
    this.#session = this.#createSession();
  }

  #createSession(): StoredSession {
    const { machine, disk, locks, provider, prompts } = this.#place;
    const { process } = this;
    const world: World = {
      clock: machine.clockOf(process),
      // The same in every run with the same seed.
      randomBytes: (length) => {
        const bytes = new Uint8Array(length);
        new DataView(bytes.buffer).setUint32(0, machine.serial);
        return bytes;
      },
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
    const assertHolds = (what: string): void => {
      if (!locks.isHeldBy(process, key)) {
        machine.violated(`process ${String(process.id)} ${what} without the lock`);
      }
      if (this.#told) {
        machine.violated(`process ${String(process.id)} ${what} after it was told a failure`);
      }
    };
    return new StoredSession({
      world,
      records: {
        level: "memory",
        location: "the disk of the run",
        read: () => disk.read(process),
        replace: (_key, expectedVersion, next) =>
          disk.replace(process, expectedVersion, next as SessionRecord | undefined),
        list: () => Promise.resolve([]),
      },
      lock: {
        acquire: (name, options) =>
          locks.acquire(process, name, options, (outcome) => this.#hear(name, outcome)),
      },
      flows: {
        needsPerson: true,
        longestWorkSeconds: { refresh: 30, login: 300 },
        assertConfigured: () => undefined,
        signIn: async ({ signal, beforePrompt = () => Promise.resolve() }) => {
          assertHolds("signs in");
          const onPurpose = this.#isSigningInOnPurpose;
          const brought = await prompts.signIn(process, { signal, beforePrompt, onPurpose });
          return { ...brought, clientId: "cli", server: undefined };
        },
        refresh: async (record, signal) => {
          assertHolds("refreshes");
          this.#checkNeed();
          await machine.step(process, "sends");
          signal.throwIfAborted();
          return provider.refresh(process, record.refreshToken, signal);
        },
        userInfo: () => Promise.resolve({ sub: "alice" }),
        revoke: async (record) => {
          await machine.step(process, "revokes");
          provider.revoke(record.refreshToken);
          return { revoked: "yes", accessTokenStays: false };
        },
      },
      config: {
        key,
        issuer: "https://id.example.com",
        clientId: "cli",
        configured: { scopes: undefined, resource: undefined },
      },
      signedInSince: null,
      host: () => `host-${String(process.host)}`,
      maxUnansweredPrompts,
    });
  }

  #hear(name: string, outcome: WorkOutcome): void {
    // Only where a program does one thing at a time is it known whose failure it is.
    if (name !== key || outcome.kind !== "failed" || this.process.plan.parallel) return;
    const { code } = outcome.error;
    this.#told = code === "network" || code === "rate_limited";
  }

  /** Nobody renews what is good, and another process's renewal is looked for under the lock (R02). */
  #checkNeed(): void {
    const { machine, disk } = this.#place;
    if (this.#current === undefined || !isOneHost(machine)) return;
    const { plan, before } = this.#current;
    const { token, expiresAt } = disk.record?.accessToken ?? {};
    const isFresh = (expiresAt ?? 0) - machine.now / 1000 > freshSeconds;
    if (isFresh && (plan.kind === "get" || (plan.kind === "rejected" && token !== before))) {
      machine.violated(`process ${String(this.process.id)} (${plan.kind}) renews a good token`);
    }
  }

  /** Makes every call. */
  async run(): Promise<void> {
    const { calls, parallel } = this.process.plan;
    if (parallel) {
      await Promise.all(calls.map((plan) => this.#call(plan)));
      return;
    }
    for (const plan of calls) {
      await this.#call(plan);
      this.#told = false;
    }
  }

  async #call(plan: CallPlan): Promise<void> {
    const { machine, disk } = this.#place;
    const { process } = this;
    for (let turns = 0; turns < plan.delay; turns += 1) await machine.anywhere("later");
    const call: Call = { process, plan, wasAborted: false };
    this.calls.push(call);
    const controller = new AbortController();
    let steps = 0;
    const countSteps = (): void => {
      if (steps === plan.abortAfter) {
        call.wasAborted = true;
        disk.hasQuitters = true;
        controller.abort();
      }
      steps += 1;
    };
    process.onStep.add(countSteps);
    const before = disk.record?.accessToken?.token;
    const begun = machine.now;
    // What was aborted may still be at work when the next call begins.
    const isAlone =
      !process.plan.parallel && process.plan.calls.every((one) => one.abortAfter === null);
    this.#current = isAlone ? { plan, before } : undefined;
    const { signal } = controller;
    try {
      const end = await this.#make(plan, signal, before);
      call.end = end;
      if (end !== undefined && "token" in end) this.#checkToken(call, end, { before, begun });
    } catch (error) {
      if (!isOidcError(error)) {
        machine.violated(`process ${String(process.id)} fails with ${String(error)}`);
        call.end = { failure: "bug" };
        return;
      }
      const reason = error.reason === undefined ? "" : `: ${error.reason}`;
      call.end = { failure: `${error.code}${reason}` };
    } finally {
      process.onStep.delete(countSteps);
    }
  }

  async #make(plan: CallPlan, signal: AbortSignal, current: string | undefined): Promise<End> {
    if (plan.kind === "logout" || plan.kind === "logout-revoke") {
      await this.#session.logout({ revoke: plan.kind === "logout-revoke" });
      return { failure: "logged out" };
    }
    if (plan.kind === "login") {
      this.#isSigningInOnPurpose = true;
      const { token } = await this.#session.login({ signal });
      return { token: token.token, source: token.source };
    }
    const options: GetTokenOptions = {
      signal,
      interactive: plan.interactive,
      ...(plan.kind === "force" ? { forceRefresh: true } : {}),
      ...(plan.kind === "rejected" && current !== undefined ? { rejectedToken: current } : {}),
      ...(plan.kind === "target" ? { scopes: ["other"] } : {}),
    };
    const token = await this.#session.getToken(options);
    return { token: token.token, source: token.source };
  }

  #checkToken(
    call: Call,
    end: { token: string; source: string },
    at: { before: string | undefined; begun: number },
  ): void {
    const { machine, disk, provider } = this.#place;
    const name = `process ${String(call.process.id)} (${call.plan.kind})`;
    const { kind } = call.plan;
    if (!provider.isIssued(end.token)) machine.violated(`${name} gets a token of nobody's`);
    // A write of another host that brings back an old record is what such a store cannot keep out.
    const isExact = isOneHost(machine) || machine.scenario.atomicAcrossHosts;
    if (isExact && !provider.lastsUntil(end.token, at.begun)) {
      machine.violated(`${name} gets a token that has expired`);
    }
    const hasEnded = provider.hasEndedAll || disk.mayBeLost();
    if (!provider.isAlive(end.token) && !hasEnded && !provider.isShared) {
      machine.violated(`${name} gets a dead token`);
    }
    const isNew = kind === "force" || kind === "rejected" || kind === "login";
    if (isExact && isNew && end.token === at.before) {
      machine.violated(`${name} gets the token that it did not want`);
    }
    if (!disk.everStored.has(end.token) && this.#mustBeStored(end.token)) {
      machine.violated(`${name} gets a token before it is durable`);
    }
  }

  #mustBeStored(token: string): boolean {
    const { machine, disk, provider } = this.#place;
    if (isOneHost(machine)) return true;
    // Another host may have written newer tokens, or have taken the refresh token away. Else this token's is the newer.
    const parent = provider.parentOf(token);
    return (
      machine.scenario.atomicAcrossHosts &&
      parent !== undefined &&
      parent === disk.record?.refreshToken
    );
  }
}
