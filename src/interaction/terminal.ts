// The default prompt: shows a sign-in on standard error, and takes a pasted address. The only code of the library that
// writes anywhere. Changes when a person is shown something at another moment.

import type { Clock } from "../core/clock.ts";
import { longestUrlCharacters } from "../core/limits.ts";
import type {
  AuthorizationUrlEvent,
  DeviceCodeEvent,
  PromptEvent,
  PromptHandler,
  WaitingForOtherEvent,
} from "../core/prompt.ts";
import { isFreeTerminal, readLines } from "./line-input.ts";
import type { LineReading, TerminalInput, TerminalSignal } from "./line-input.ts";
import { readPastedRedirect } from "./paste.ts";
import {
  countdownText,
  deviceText,
  deviceWayText,
  hasNumberedWays,
  otherSignInPastedText,
  pastingText,
  receivedText,
  signInText,
  waitingForOtherLine,
  waitingForOtherText,
  warningText,
  wrap,
} from "./terminal-texts.ts";
import type { Columns } from "./terminal-texts.ts";

/** The part of `process.stderr` that is used. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** What {@link createTerminalPrompt} takes. */
export interface TerminalPromptOptions {
  readonly stderr: TerminalOutput;
  readonly stdin: TerminalInput;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** This machine's name, for the `ssh -L` hint. */
  readonly hostName: string;
  /**
   * Draws a QR code of an address as at most `rows` lines (undefined: any number) that are at most `columns` wide;
   * undefined where it does not fit. Without it, or where the output is no terminal, none is shown.
   */
  readonly renderQr?:
    | ((text: string, columns: number, rows: number | undefined) => string | undefined)
    | undefined;
  /** Does what the terminal does at Ctrl-C when it is not read key by key. Default: signals the process group. */
  readonly raiseSignal?: (signal: TerminalSignal) => void;
}

const defaultColumns = 80;
const eraseLine = "\r\u001b[2K";
const eraseLineAbove = "\u001b[1A\u001b[2K";
// Around a QR code: an empty line before it, and below the text an empty line and the countdown.
const linesAroundQr = 3;

// Names that a person may copy into a shell.
const shellSafeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u;

function raiseSignalInGroup(signal: TerminalSignal): void {
  // 0 is the process group: what a terminal signals. Windows knows neither groups nor SIGTSTP.
  if (process.platform !== "win32") process.kill(0, signal);
  else if (signal === "SIGINT") process.kill(process.pid, signal);
}

// Longer than a refresh of another process usually takes, and than a port takes to be passed on: a line that comes and
// goes within that time is a flicker that nobody can read. Shorter than a person takes to wonder.
const unnoticedWaitMilliseconds = 300;

/** A wait for another process; its line is shown only when it has lasted for a moment. */
interface Wait {
  readonly ended: AbortController;
  event: WaitingForOtherEvent;
  shown: string;
  isNoticed: boolean;
}

class TerminalPrompt {
  readonly #options: TerminalPromptOptions;
  readonly #raiseSignal: (signal: TerminalSignal) => void;
  /** A line at the bottom that is rewritten in place: countdown or `>`. */
  #liveLine = "";
  #countdown: AbortController | undefined;
  #reading: LineReading | undefined;
  #wait: Wait | undefined;
  #numberedWays = false;

  constructor(options: TerminalPromptOptions) {
    this.#options = options;
    this.#raiseSignal = options.raiseSignal ?? raiseSignalInGroup;
  }

  handle(event: PromptEvent): void {
    switch (event.type) {
      case "authorizationUrl":
        this.#takeAway();
        this.#showSignIn(event);
        return;
      case "deviceCode":
        if (event.besideBrowser === true) {
          this.#addDeviceWay(event);
          return;
        }
        this.#takeAway();
        this.#showDevice(event);
        return;
      case "waitingForOther":
        this.#noticeWait(event);
        return;
      case "warning":
        this.#writeAbove(warningText(event.code, event.message, this.#columns()));
        return;
      case "settled":
        this.#takeAway();
        return;
    }
  }

  #isTerminal(): boolean {
    return this.#options.stderr.isTTY === true;
  }

  /** Whether a line can be rewritten. */
  #isRewritable(): boolean {
    return this.#isTerminal() && this.#options.environment["TERM"] !== "dumb";
  }

  #width(): number {
    // 0 is what some pseudo-terminals say when nobody told them.
    return this.#options.stderr.columns || defaultColumns;
  }

  /** Rows that are left where `text` and `more` lines stand too, so that nothing of it scrolls away. */
  #rowsBeside(text: string, more: number): number | undefined {
    const { rows } = this.#options.stderr;
    if (!rows) return undefined;
    const width = this.#width();
    const taken = text
      .split("\n")
      .slice(0, -1)
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0);
    return Math.max(0, rows - taken - more);
  }

  #columns(): Columns {
    return this.#isTerminal() ? this.#width() : undefined;
  }

  #showSignIn(event: AuthorizationUrlEvent): void {
    const { stderr, stdin } = this.#options;
    const canPaste =
      event.canPaste !== false &&
      !event.browserOpened &&
      event.browserProblem !== undefined &&
      this.#isTerminal() &&
      isFreeTerminal(stdin);
    const facts = {
      url: event.url,
      redirectUri: event.redirectUri,
      browserOpened: event.browserOpened,
      browserProblem: event.browserProblem,
      canPaste,
      sshDestination: this.#sshDestination(),
    };
    this.#numberedWays = hasNumberedWays(facts);
    stderr.write(signInText(facts, this.#columns()));
    if (canPaste) this.#readPaste(event);
    else if (this.#isRewritable()) {
      stderr.write("\n");
      void this.#countDown(event.expiresAt.getTime(), "the browser");
    }
  }

  #showDevice(event: DeviceCodeEvent): void {
    const { stderr, renderQr } = this.#options;
    const { verificationUri, verificationUriComplete } = event;
    const facts = {
      userCode: event.userCode,
      verificationUri,
      verificationUriComplete,
      browserOpened: event.browserOpened ?? false,
      why: event.why,
      issuer: event.issuer,
      clientId: event.clientId,
      scopes: event.scopes ?? [],
    };
    const text = deviceText({ ...facts, qrCode: undefined }, this.#columns());
    const qrCode = this.#isTerminal()
      ? renderQr?.(
          verificationUriComplete ?? verificationUri,
          this.#width(),
          this.#rowsBeside(text, linesAroundQr),
        )
      : undefined;
    stderr.write(qrCode === undefined ? text : deviceText({ ...facts, qrCode }, this.#columns()));
    if (!this.#isRewritable()) return;
    stderr.write("\n");
    void this.#countDown(event.expiresAt.getTime(), "the code");
  }

  /** The address of a browser sign-in stands above, and a pasted one is waited for. */
  #addDeviceWay(event: DeviceCodeEvent): void {
    const left = event.expiresAt.getTime() - this.#options.clock.now();
    const text = deviceWayText(event, left, this.#columns(), this.#numberedWays);
    // Numbered ways stand close; anything else has an empty line on either side.
    if (this.#numberedWays) this.#writeAbove(text);
    else this.#writeAbove(this.#liveLine === "" ? `\n${text}` : `${text}\n`);
  }

  #noticeWait(event: WaitingForOtherEvent): void {
    // What a person is asked to do counts more.
    if (this.#countdown !== undefined || this.#reading !== undefined) return;
    if (this.#wait !== undefined) {
      this.#wait.event = event;
      if (this.#wait.isNoticed) this.#showWait(this.#wait);
      return;
    }
    const wait: Wait = { ended: new AbortController(), event, shown: "", isNoticed: false };
    this.#wait = wait;
    void this.#showWaitLater(wait);
  }

  async #showWaitLater(wait: Wait): Promise<void> {
    const { clock } = this.#options;
    try {
      await clock.sleep(unnoticedWaitMilliseconds, { unref: true, signal: wait.ended.signal });
      wait.isNoticed = true;
      this.#showWait(wait);
    } catch {
      // Over before anybody noticed, or standard error is gone: nothing to show.
    }
  }

  #showWait(wait: Wait): void {
    const { processId, phase } = wait.event;
    const facts = { processId, phase };
    if (this.#isRewritable()) {
      const line = waitingForOtherLine(facts, this.#width());
      if (line !== this.#liveLine) this.#setLiveLine(line);
      return;
    }
    // A line that stays: not for a refresh, of which hundreds of processes would each leave one in a log.
    if (phase !== "login") return;
    const text = waitingForOtherText(facts, this.#columns());
    if (text !== wait.shown) this.#options.stderr.write(text);
    wait.shown = text;
  }

  #sshDestination(): string | undefined {
    const { environment, hostName } = this.#options;
    if (!environment["SSH_CONNECTION"] && !environment["SSH_TTY"]) return undefined;
    const user = environment["USER"] ?? environment["LOGNAME"] ?? "";
    return `${shellSafeName.test(user) ? user : "you"}@${shellSafeName.test(hostName) ? hostName : "this-host"}`;
  }

  async #countDown(expiresAt: number, awaited: "the browser" | "the code"): Promise<void> {
    const { clock } = this.#options;
    const countdown = new AbortController();
    this.#countdown = countdown;
    try {
      while (!countdown.signal.aborted) {
        this.#setLiveLine(countdownText(expiresAt - clock.now(), this.#width(), awaited));
        await clock.sleep(1000, { unref: true, signal: countdown.signal });
      }
    } catch {
      // Settled, or standard error is gone: nothing more to show.
    }
  }

  #readPaste(event: AuthorizationUrlEvent): void {
    const reading = readLines(this.#options.stdin, longestUrlCharacters, {
      onLength: (characters) => {
        // Also after a line that was refused, where it draws the empty prompt again.
        if (this.#reading === reading) {
          this.#setLiveLine(`> ${pastingText(characters, this.#width())}`);
        }
      },
      onLine: (line) => this.#takeLine(line, event),
      onSignal: (signal) => this.#passSignal(signal),
    });
    this.#reading = reading;
    // Last: whoever sees it may paste at once, and the terminal must not show the code.
    this.#setLiveLine("> ");
  }

  #takeLine(line: string, event: AuthorizationUrlEvent): void {
    const pasted = readPastedRedirect(line, event.redirectUri);
    if ("problem" in pasted) {
      this.#writeAbove(`${wrap(pasted.problem, this.#columns())}\n`);
      return;
    }
    const state = new URL(event.url).searchParams.get("state");
    if (state !== null && pasted.parameters.get("state") !== state) {
      this.#writeAbove(`${wrap(otherSignInPastedText, this.#columns())}\n`);
      return;
    }
    this.#takeAway();
    this.#options.stderr.write(`${receivedText}\n`);
    event.paste(line);
  }

  #passSignal(signal: TerminalSignal): void {
    const reading = this.#reading;
    if (signal !== "SIGTSTP" || process.platform === "win32") {
      this.#raiseSignal(signal);
      return;
    }
    // Stopped, the shell needs its terminal; continued, we need ours.
    reading?.suspend();
    process.once("SIGCONT", () => {
      if (this.#reading !== reading) return;
      reading?.resume();
      this.#setLiveLine(this.#liveLine);
    });
    this.#raiseSignal(signal);
  }

  #setLiveLine(line: string): void {
    const { stderr } = this.#options;
    if (this.#isRewritable()) stderr.write(`${this.#erasure()}${line}`);
    else if (this.#liveLine === "") stderr.write(line);
    this.#liveLine = line;
  }

  #eraseLiveLine(): void {
    if (this.#liveLine === "") return;
    this.#options.stderr.write(this.#isRewritable() ? this.#erasure() : "\n");
    this.#liveLine = "";
  }

  /** Takes the live line away, with the cursor where it began. A terminal that became narrower has broken it. */
  #erasure(): string {
    const rows = Math.ceil(this.#liveLine.length / this.#width());
    return eraseLine + eraseLineAbove.repeat(Math.max(0, rows - 1));
  }

  /** Writes whole lines, with the live line below them again. */
  #writeAbove(text: string): void {
    const line = this.#liveLine;
    this.#eraseLiveLine();
    this.#options.stderr.write(text);
    if (line !== "") this.#setLiveLine(line);
  }

  #takeAway(): void {
    this.#countdown?.abort();
    this.#countdown = undefined;
    this.#reading?.stop();
    this.#reading = undefined;
    this.#wait?.ended.abort();
    this.#wait = undefined;
    this.#eraseLiveLine();
  }
}

/**
 * Makes the default prompt handler. It shows the address of a sign-in, counts down on a terminal, and takes a pasted
 * address where no browser could be opened. Plain text: the only escape code erases its own line, on a terminal.
 */
export function createTerminalPrompt(options: TerminalPromptOptions): PromptHandler {
  const prompt = new TerminalPrompt(options);
  return (event) => prompt.handle(event);
}
