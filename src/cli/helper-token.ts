// A token for a tool that asks by a helper: from the cache at once, else by a refresh, and by a person only where the
// tool waits for one. Changes when what a helper may do for its tool does.

import { isatty } from "node:tty";
import { decisionsFor } from "../core/error-table.ts";
import { isOidcError, OidcError } from "../core/errors.ts";
import type { AccessToken, GetTokenOptions } from "../core/types.ts";
import { loadPart } from "../core/load.ts";
import { consumerOf } from "../helpers/consumer.ts";
import { tokenMark, Notes, type Note } from "../helpers/notes.ts";
import {
  HelperFailure,
  type HandedToken,
  type HelperAnswer,
  type HelperPost,
  type Tool,
  type TokenRequest,
} from "../helpers/tool.ts";
import type { CommandLine } from "./arguments.ts";
import { stateFolder } from "../options/paths.ts";
import { recordKey } from "../record/key.ts";
import { cachedToken, tokenRequestOf } from "./cached-token.ts";
import type { CommandContext } from "./context.ts";
import { errorParagraph } from "./render/errors.ts";
import { readServerRow, type ServerRow } from "./server-table.ts";
import { mayHaveProfile, readSettings, type Settings } from "./settings.ts";
import { tellOfSignIn } from "./tell-sign-in.ts";

/** A program that asks again so soon was refused. */
const repeatMilliseconds = 10_000;
/** A token is renewed so often at most because somebody asks again: one that is as young is as good as its successor. */
const renewedEveryMilliseconds = 60_000;
/** How long a failure is repeated to the program that met it: what passes by itself, anything else, and a person's no. */
const failureMilliseconds = { transient: 30_000, lasting: 600_000, asked: 3_600_000 } as const;

/** Whose token is wanted, and by whom. */
interface Errand {
  readonly settings: Settings;
  readonly words: readonly string[];
  readonly row: ServerRow | undefined;
  readonly request: GetTokenOptions;
  readonly isQuiet: boolean;
  /** Under which the notes of the program that asks are kept; undefined where none are. */
  readonly note: string | undefined;
  /** Under which it is noted when a helper last renewed the token of this sign-in. */
  readonly renewals: string;
}

export class HelperTokens {
  readonly #context: CommandContext;
  readonly #tool: Tool;
  readonly #name: string;
  readonly #notes: Notes | undefined;

  constructor(context: CommandContext, name: string, tool: Tool) {
    this.#context = context;
    this.#tool = tool;
    this.#name = name;
    this.#notes = notesOf(context);
  }

  /** @throws {HelperFailure} */
  async token(asked: TokenRequest): Promise<HandedToken | undefined> {
    const { line, machine } = this.#context;
    let words = line.configuration;
    try {
      const row = asked.place === undefined ? undefined : readServerRow(asked.place, machine);
      if (asked.place !== undefined && row === undefined) return undefined;
      if (row !== undefined) words = wordsOfRow(row, line.flags["profile"]);
      const errand = await this.#errand(asked, row, words);
      const { token, expiresAt } = await this.#tokenFor(errand, asked);
      return { token, expiresAt, username: row?.username };
    } catch (error) {
      if (!isOidcError(error)) throw error;
      throw failureOf(error, words);
    }
  }

  /** @throws {HelperFailure} */
  async post({ url, step, form }: HelperPost): Promise<HelperAnswer> {
    const context = this.#context;
    const signal = this.#signal();
    try {
      const settings = await this.#settingsOf(context.line);
      const http = await (await context.openFor(settings, false)).openRequests();
      const answer = await http.send({ method: "POST", url, step, form, accept: "*/*", signal });
      return { status: answer.status, text: Buffer.from(answer.body).toString("utf8") };
    } catch (error) {
      if (!isOidcError(error)) throw error;
      throw failureOf(error, context.line.configuration);
    }
  }

  async #settingsOf(line: CommandLine): Promise<Settings> {
    const { machine } = this.#context;
    const profiles = mayHaveProfile(line, machine)
      ? await loadPart(() => import("./profile.ts"))
      : undefined;
    return readSettings(line, machine, profiles);
  }

  async #errand(
    asked: TokenRequest,
    row: ServerRow | undefined,
    words: readonly string[],
  ): Promise<Errand> {
    const { line } = this.#context;
    const named =
      row === undefined ? line : { ...line, flags: { ...line.flags, profile: row.profile } };
    const settings = await this.#settingsOf(named);
    const { options, kind } = this.#context.peekFor(settings);
    const tokenKind = line.flags["access-token"] === true ? "access_token" : this.#tool.tokenKind;
    const { minValiditySeconds } = this.#tool;
    const request = {
      minValiditySeconds,
      ...definedOf(tokenRequestOf(line.flags, false)),
      tokenKind,
    };
    const key = recordKey({ kind, options: { ...options } });
    const consumer = consumerOf(process.ppid, this.#tool.family);
    const { place = "", about = "" } = asked;
    return {
      settings,
      words,
      row,
      request,
      isQuiet: asked.quiet === true,
      note:
        consumer && JSON.stringify(["program", consumer, this.#name, key, tokenKind, place, about]),
      renewals: JSON.stringify(["renewed", key, tokenKind]),
    };
  }

  async #tokenFor(errand: Errand, asked: TokenRequest): Promise<AccessToken> {
    const { options, kind } = this.#context.peekFor(errand.settings);
    const cached = lookIn(() =>
      cachedToken({ ...options }, errand.request, this.#context.machine, kind),
    );
    const { refused } = asked;
    // A refusal of one that is no longer handed out is answered by the one that is.
    const isRefused =
      cached !== undefined &&
      refused !== undefined &&
      ("token" in refused
        ? refused.token === cached.token
        : refused.mark === tokenMark(cached.token));
    const note = errand.note === undefined ? {} : (this.#notes?.read(errand.note) ?? {});
    if (cached !== undefined && !isRefused) return this.#handOut(cached, errand, note);
    if (note.failure !== undefined && note.failure.until > Date.now() && refused === undefined) {
      throw new HelperFailure(note.failure.paragraph, note.failure.exitCode);
    }
    const rejectedToken = isRefused ? cached.token : undefined;
    const token = await this.#obtain(errand, note, rejectedToken);
    if (errand.note !== undefined && note.failure !== undefined) this.#notes?.forget(errand.note);
    if (this.#tool.repeatMeansRefused && token.source !== "cache") {
      await this.#notes?.write(errand.renewals, { askedAt: Date.now() });
    }
    await this.#noteGiven(token, errand, { askedAt: note.askedAt });
    return token;
  }

  /** A token of the cache, unless the program that asks got it a moment ago, and has come back with nothing else to say. */
  async #handOut(cached: AccessToken, errand: Errand, note: Note): Promise<AccessToken> {
    if (!this.#tool.repeatMeansRefused || errand.note === undefined) return cached;
    const now = Date.now();
    const { given } = note;
    const isRepeat = given?.mark === tokenMark(cached.token) && now - given.at < repeatMilliseconds;
    const renewedAt = this.#notes?.read(errand.renewals).askedAt ?? 0;
    if (!isRepeat || now - renewedAt < renewedEveryMilliseconds) {
      await this.#noteGiven(cached, errand, note);
      return cached;
    }
    await this.#notes?.write(errand.renewals, { askedAt: now });
    let token = cached;
    try {
      token = await this.#renewed(errand, cached.token);
    } catch (error) {
      // That it was refused is a guess: it may be as good as it looks.
      if (!isOidcError(error)) throw error;
    }
    await this.#noteGiven(token, errand, note);
    return token;
  }

  async #noteGiven({ token }: AccessToken, errand: Errand, note: Note): Promise<void> {
    if (!this.#tool.repeatMeansRefused || errand.note === undefined) return;
    const given = { mark: tokenMark(token), at: Date.now() };
    await this.#notes?.write(errand.note, { askedAt: note.askedAt, given });
  }

  async #renewed(errand: Errand, rejectedToken: string): Promise<AccessToken> {
    const { session } = await this.#context.openFor(
      { ...errand.settings, interactive: false },
      true,
    );
    const signal = this.#signal();
    return session.getToken({ ...errand.request, rejectedToken, interactive: false, signal });
  }

  /** Without a person first: only where that is not enough, and the tool waits, a sign-in is shown, once to a program. */
  async #obtain(
    errand: Errand,
    note: Note,
    rejectedToken: string | undefined,
  ): Promise<AccessToken> {
    const { settings, isQuiet } = errand;
    const signal = this.#signal();
    let { askedAt } = note;
    try {
      const opened = await this.#context.openFor(settings, true);
      const request = { ...errand.request, rejectedToken, signal };
      try {
        return await opened.session.getToken({ ...request, interactive: false });
      } catch (error) {
        const mayAsk = !isQuiet && askedAt === undefined && this.#mayAsk(settings);
        if (!mayAsk || !needsPerson(error)) throw error;
      }
      askedAt = Date.now();
      // Before anything is shown: a helper that is killed meanwhile has asked all the same.
      if (errand.note !== undefined) await this.#notes?.write(errand.note, { ...note, askedAt });
      const token = await opened.session.getToken({ ...request, interactive: true });
      const record = token.source === "login" ? await opened.session.current() : undefined;
      if (record !== undefined) {
        const { offlineAccess } = opened.options;
        const about = { now: new Date(opened.world.clock.now()), offlineAccess };
        tellOfSignIn(this.#context, { record, before: undefined }, about);
      }
      return token;
    } catch (error) {
      if (!isOidcError(error)) throw error;
      const { deadlineSeconds } = this.#tool;
      const isLate = signal.aborted && !this.#context.signal.aborted;
      const said = isLate ? late(this.#name, deadlineSeconds ?? 0) : error;
      await this.#noteFailure(said, errand, askedAt);
      throw said;
    }
  }

  async #noteFailure(error: OidcError, errand: Errand, askedAt: number | undefined): Promise<void> {
    if (errand.note === undefined || this.#context.signal.aborted) return;
    const { duration } = decisionsFor(error.code, error.reason);
    const { message: paragraph, exitCode } = failureOf(error, errand.words);
    const milliseconds =
      askedAt === undefined
        ? failureMilliseconds[duration === "transient" ? "transient" : "lasting"]
        : failureMilliseconds.asked;
    const failure = { paragraph, exitCode, until: Date.now() + milliseconds };
    await this.#notes?.write(errand.note, { askedAt, failure });
  }

  #mayAsk({ interactive }: Settings): boolean {
    return interactive ?? (this.#tool.mayAsk && (isatty(0) || isatty(2)));
  }

  #signal(): AbortSignal {
    const { deadlineSeconds } = this.#tool;
    const { signal } = this.#context;
    return deadlineSeconds === undefined
      ? signal
      : AbortSignal.any([signal, AbortSignal.timeout(deadlineSeconds * 1000)]);
  }
}

/** Somebody has to sign in, or is just being asked to by another process, which is then waited for. */
function needsPerson(error: unknown): boolean {
  return isOidcError(error) && decisionsFor(error.code, error.reason).person === "needed";
}

function notesOf({ machine }: CommandContext): Notes | undefined {
  try {
    return new Notes(stateFolder(machine));
  } catch {
    // Without a home folder nothing is remembered between calls.
    return undefined;
  }
}

/** The words that name the sign-in of a server. A flag that names another one has no say: the table alone decides. */
function wordsOfRow({ profile }: ServerRow, typed: unknown): readonly string[] {
  if (typed === undefined || typed === profile) return [`--profile=${profile}`];
  throw new OidcError(
    "invalid_option",
    `The configuration file names the profile ${profile} for this server, and --profile another one.`,
    { remedy: "Leave --profile away." },
  );
}

function definedOf(request: GetTokenOptions): GetTokenOptions {
  return Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
}

/** A cache that cannot be used is said by the session, which gives a token all the same. */
function lookIn(look: () => AccessToken | undefined): AccessToken | undefined {
  try {
    return look();
  } catch (error) {
    if (isOidcError(error) && error.code !== "cache_insecure") return undefined;
    throw error;
  }
}

function late(name: string, deadlineSeconds: number): OidcError {
  return new OidcError(
    "timeout",
    `No token was to be had within ${String(deadlineSeconds)} seconds, and ${name} waits no longer.`,
    { reason: "operation" },
  );
}

function failureOf(error: OidcError, words: readonly string[]): HelperFailure {
  const { exitCode } = decisionsFor(error.code, error.reason);
  return new HelperFailure(errorParagraph(error, words), exitCode);
}
