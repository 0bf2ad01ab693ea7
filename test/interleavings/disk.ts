// The one store of all processes, and what must hold for every write into it. Changes when a write is made of other
// steps, or must keep another promise.
import { compareVersions } from "./versions.ts";
import type { SessionRecord } from "../../src/record/format.ts";
import type { ReplaceResult } from "../../src/store/token-store.ts";
import type { Machine, Process } from "./machine.ts";
import type { Provider } from "./provider.ts";

/** A file with one record. */
export class Disk {
  readonly #machine: Machine;
  readonly #provider: Provider;
  /** One writer at a time on each host: the file's lock reaches no further. */
  readonly #queues = new Map<number, Promise<void>>();
  #record: SessionRecord | undefined;
  /** Every token that was ever stored. */
  readonly everStored = new Set<string>();
  /** How often the record was deleted. */
  deletions = 0;
  onDeletion: () => void = () => undefined;
  /** Whether somebody has died or given up. */
  hasQuitters = false;
  readonly #versions = new Set<string>();

  constructor(machine: Machine, provider: Provider) {
    this.#machine = machine;
    this.#provider = provider;
  }

  get record(): SessionRecord | undefined {
    return this.#record;
  }

  async read(process: Process): Promise<SessionRecord | undefined> {
    await this.#machine.step(process, "reads");
    return structuredClone(this.#record);
  }

  async replace(
    process: Process,
    expectedVersion: string | undefined,
    next: SessionRecord | undefined,
  ): Promise<ReplaceResult> {
    const release = await this.#takeFile(process);
    process.atDeath.add(release);
    try {
      await this.#machine.step(process, "compares");
      const isOther = (): boolean => this.#record?.version !== expectedVersion;
      if (isOther()) return { replaced: false, current: structuredClone(this.#record) };
      await this.#machine.step(process, "renames");
      // Another host that wrote in between is overwritten, as by rename(2), unless the store compares and swaps in one.
      if (this.#machine.scenario.atomicAcrossHosts && isOther()) {
        return { replaced: false, current: structuredClone(this.#record) };
      }
      this.#write(process, structuredClone(next));
      await this.#machine.step(process, "has written");
      return { replaced: true };
    } finally {
      process.atDeath.delete(release);
      release();
    }
  }

  async #takeFile(process: Process): Promise<() => void> {
    const before = this.#queues.get(process.host) ?? Promise.resolve();
    let release = (): void => {};
    const mine = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#queues.set(
      process.host,
      before.then(() => mine),
    );
    // A process that dies in the queue leaves it.
    process.atDeath.add(release);
    await before;
    process.atDeath.delete(release);
    return release;
  }

  /** Puts a record there before the run. */
  prepare(record: SessionRecord): void {
    this.#record = record;
    this.#versions.add(record.version);
    this.#note(record);
  }

  #note(record: SessionRecord): void {
    if (record.refreshToken !== undefined) this.everStored.add(record.refreshToken);
    if (record.accessToken !== null) this.everStored.add(record.accessToken.token);
    for (const { token } of record.otherAccessTokens ?? []) this.everStored.add(token);
  }

  #write(process: Process, next: SessionRecord | undefined): void {
    const before = this.#record;
    this.#record = next;
    if (next === undefined) {
      this.deletions += 1;
      this.onDeletion();
      return;
    }
    this.#note(next);
    this.#checkForm(next);
    if (!this.#isExact()) return;
    this.#checkBirth(before, next);
    if (before !== undefined) this.#checkOrder(process, before, next);
    this.#checkVersion(before, next);
  }

  /** Whether nothing can come between the compare and the write. */
  #isExact(): boolean {
    return this.#machine.scenario.atomicAcrossHosts || isOneHost(this.#machine);
  }

  #checkVersion(before: SessionRecord | undefined, next: SessionRecord): void {
    if (this.#versions.has(next.version)) {
      this.#machine.violated(`version ${next.version} is written a second time`);
    }
    this.#versions.add(next.version);
    if (before !== undefined && compareVersions(before.version, next.version) <= 0) {
      this.#machine.violated(`the version goes from ${before.version} to ${next.version}`);
    }
  }

  #checkForm(next: SessionRecord): void {
    const isWhole =
      next.key === "key" &&
      /^[0-9a-f]+\.\d+(?:\.\d+)?$/.test(next.version) &&
      (next.refreshToken === undefined || this.#provider.isIssued(next.refreshToken)) &&
      (next.accessToken === null || this.#provider.isIssued(next.accessToken.token)) &&
      !(next.ended !== undefined && next.refreshToken !== undefined);
    if (!isWhole) this.#machine.violated(`a damaged record: ${JSON.stringify(next)}`);
  }

  #checkBirth(before: SessionRecord | undefined, next: SessionRecord): void {
    if (before !== undefined || next.refreshToken === undefined) return;
    if (!this.#provider.isOfSignIn(next.refreshToken)) {
      this.#machine.violated("a renewal brings back a sign-in that was logged out");
    }
  }

  #checkOrder(process: Process, before: SessionRecord, next: SessionRecord): void {
    const machine = this.#machine;
    const provider = this.#provider;
    if (provider.isOlder(next.refreshToken, before.refreshToken)) {
      machine.violated("an older refresh token takes the place of a newer one");
    }
    if (provider.isOlder(next.accessToken?.token, before.accessToken?.token)) {
      machine.violated("an older access token takes the place of a newer one");
    }
    if (before.refreshToken !== undefined && next.refreshToken === undefined) {
      this.#checkDropped(process, before.refreshToken, next);
    }
  }

  /** Whether an answer can have been lost. */
  mayBeLost(): boolean {
    return this.hasQuitters || this.#provider.losses > 0;
  }

  #checkDropped(process: Process, dropped: string, next: SessionRecord): void {
    const machine = this.#machine;
    const provider = this.#provider;
    if (next.ended === undefined) {
      machine.violated("a refresh token is lost without a word");
      return;
    }
    if (!provider.hasRefused(dropped)) {
      machine.violated(`process ${String(process.id)} drops a refresh token that nobody refused`);
    }
    const wasLost = provider.wasLost(dropped);
    if (next.ended === "refresh_refused" && wasLost && !provider.hasEndedAll) {
      machine.violated("refresh_refused, where an answer was lost");
    }
    if (next.ended === "refresh_lost" && !this.mayBeLost() && isOneHost(machine)) {
      machine.violated("refresh_lost, where no answer can have been lost");
    }
  }
}

/** Whether all processes of a run share one lock. */
export function isOneHost(machine: Machine): boolean {
  return new Set(machine.scenario.processes.map(({ host }) => host)).size === 1;
}
