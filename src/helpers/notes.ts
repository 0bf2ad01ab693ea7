// What one call of a helper leaves for the next one of the same program: that it failed, that a person was asked, which
// token it was given. Small files beside the sign-ins, without a token, forgotten within the hour.

import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomically } from "../files/atomic-write.ts";
import { readPrivateFileSync } from "../files/secure-read.ts";
import { hashOf } from "../record/key.ts";

/** How a call failed, in the words that the next one repeats. */
export interface Failure {
  readonly paragraph: string;
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** A token that was handed out, by its {@link tokenMark}. */
export interface Given {
  readonly mark: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What is noted under one name. */
export interface Note {
  readonly failure?: Failure | undefined;
  /** When a person was asked, in milliseconds since the epoch. */
  readonly askedAt?: number | undefined;
  readonly given?: Given | undefined;
}

/** Longer than any note counts. */
const maxMilliseconds = 3_600_000;
const maxNotes = 200;
const maxBytes = 16 * 1024;
const maxParagraph = 5000;
const format = 1;

/** A name for a token that leads nobody to it: 128 bits of what has more. */
export function tokenMark(token: string): string {
  return hashOf(`token ${token}`);
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function parseFailure(value: unknown): Failure | undefined {
  const { paragraph, exitCode, until } = (value ?? {}) as Readonly<Record<string, unknown>>;
  const isUsual =
    typeof paragraph === "string" &&
    paragraph.length <= maxParagraph &&
    // It is printed as it is.
    !/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(paragraph) &&
    typeof exitCode === "number" &&
    [1, 2, 3, 4, 5, 6].includes(exitCode) &&
    isTime(until);
  return isUsual ? { paragraph, exitCode, until } : undefined;
}

function parseGiven(value: unknown): Given | undefined {
  const { mark, at } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return typeof mark === "string" && /^[\da-f]{32}$/.test(mark) && isTime(at)
    ? { mark, at }
    : undefined;
}

/** What a note's text says: members that are not as written here say nothing. */
export function parseNote(text: string): Note {
  let written: Readonly<Record<string, unknown>>;
  try {
    written = (JSON.parse(text) ?? {}) as Readonly<Record<string, unknown>>;
  } catch {
    return {};
  }
  if (written["latchkeyHelper"] !== format) return {};
  const { askedAt } = written;
  return {
    failure: parseFailure(written["failure"]),
    askedAt: isTime(askedAt) ? askedAt : undefined,
    given: parseGiven(written["given"]),
  };
}

/** The notes of this user, in a folder of their own below the cache's. What cannot be kept is not: no call fails for it. */
export class Notes {
  readonly #folder: string;

  constructor(stateFolder: string) {
    this.#folder = join(stateFolder, "helpers");
  }

  #path(name: string): string {
    return join(this.#folder, `${hashOf(name)}.json`);
  }

  read(name: string): Note {
    try {
      return parseNote(readPrivateFileSync(this.#path(name), maxBytes)?.toString("utf8") ?? "");
    } catch {
      return {};
    }
  }

  async write(name: string, note: Note): Promise<void> {
    const text = `${JSON.stringify({ latchkeyHelper: format, ...note })}\n`;
    try {
      await writeFileAtomically(this.#path(name), text);
      this.#tidy();
    } catch {
      // The next call does what this one did.
    }
  }

  forget(name: string): void {
    try {
      unlinkSync(this.#path(name));
    } catch {
      // Another call was quicker, or it stays until its time is over.
    }
  }

  /** Removes what is over, and the oldest of too many. */
  #tidy(): void {
    const oldest = Date.now() - maxMilliseconds;
    const notes = readdirSync(this.#folder)
      .filter((name) => /^[\da-f]{32}\.json$/.test(name))
      .map((name) => ({
        path: join(this.#folder, name),
        at: lstatSync(join(this.#folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
      }))
      .toSorted((one, other) => other.at - one.at);
    for (const [place, { path, at }] of notes.entries()) {
      if (place >= maxNotes || at < oldest) unlinkSync(path);
    }
  }
}
