// The default prompt: shows a sign-in on standard error, and takes a pasted address. The only code of the library that
// writes anywhere. Changes when a person is shown something at another moment.

import type { Clock } from "../core/clock.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import type {
  AuthorizationUrlEvent,
  DeviceCodeEvent,
  PromptEvent,
  PromptHandler,
  TrustQuestionEvent,
  WaitingForOtherEvent,
} from "../core/prompt.ts";
import type { TerminalRole } from "./foreground.ts";
import { proseColumns, wrap, type Columns } from "./layout.ts";
import { isFreeTerminal, readLines } from "./line-input.ts";
import type { LineReading, TerminalInput, TerminalSignal } from "./line-input.ts";
import { liveLineOf, type LiveLine, type TerminalOutput } from "./live-line.ts";
import { readPastedRedirect } from "./paste.ts";
import {
  closeDeviceText,
  countdownText,
  deviceText,
  deviceWayText,
  hasNumberedWays,
  inBackgroundText,
  otherSignInPastedText,
  pastingText,
  receivedText,
  signInText,
  takingOverLine,
  waitingForOtherLine,
  waitingForOtherText,
  warningText,
} from "./terminal-texts.ts";
import type { DeviceFacts } from "./terminal-texts.ts";
import { askOnTerminal } from "./trust-question.ts";

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
  readonly raiseSignal?: ((signal: TerminalSignal) => void) | undefined;
  /** Whether this process may use its terminal now. Default: what the system says. */
  readonly terminalRole?: (() => TerminalRole) | undefined;
}

// Around a QR code: an empty line before it, and below the text an empty line and the countdown.
const linesAroundQr = 3;
const lineOfCountdown = 1;

// Names that a person may copy into a shell.
const shellSafeName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u;

// Longer than a refresh of another process usually takes, and than a port takes to be passed on: a line that comes and
// goes within that time is a flicker that nobody can read. Shorter than a person takes to wonder.
const unnoticedWaitMilliseconds = 300;

/** A wait for another process; its line is shown only when it has lasted for a moment. */
interface Wait {
  readonly ended: AbortController;
  event: WaitingForOtherEvent;
  shown: string;
  isNoticed: boolean;
  /** While Enter takes the other's sign-in over. */
  reading?: LineReading | undefined;
}

class TerminalPrompt {
  readonly #options: TerminalPromptOptions;
  readonly #live: LiveLine;
  #countdown: AbortController | undefined;
  #reading: LineReading | undefined;
  #wait: Wait | undefined;
  #numberedWays = false;
  /** The address of the last sign-in for which a browser was started. */
  #openedUrl: string | undefined;

  constructor(options: TerminalPromptOptions) {
    this.#options = options;
    this.#live = liveLineOf(options);
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
      case "trustQuestion":
        this.#takeAway();
        this.#askTrust(event);
        return;
      case "warning":
        this.#live.writeAbove(warningText(event.code, event.message, this.#columns()));
        return;
      case "settled":
        this.#takeAway();
        return;
    }
  }

  /** Rows that are left where `text` and `more` lines stand too, so that nothing of it scrolls away. */
  #rowsBeside(text: string, more: number): number | undefined {
    const { rows } = this.#options.stderr;
    if (!rows) return undefined;
    const width = this.#live.width;
    const taken = text
      .split("\n")
      .slice(0, -1)
      .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / width)), 0);
    return Math.max(0, rows - taken - more);
  }

  #columns(): Columns {
    return this.#live.isTerminal ? proseColumns(this.#live.width) : undefined;
  }

  #showSignIn(event: AuthorizationUrlEvent): void {
    const { stderr, stdin } = this.#options;
    const canPaste =
      event.canPaste !== false &&
      !event.browserOpened &&
      event.browserProblem !== undefined &&
      this.#live.isTerminal &&
      isFreeTerminal(stdin);
    const facts = {
      url: event.url,
      redirectUri: event.redirectUri,
      browserOpened: event.browserOpened,
      browserProblem: event.browserProblem,
      isLate: event.url === this.#openedUrl,
      canPaste,
      sshDestination: this.#sshDestination(),
    };
    this.#openedUrl = event.browserOpened ? event.url : undefined;
    this.#numberedWays = hasNumberedWays(facts);
    stderr.write(signInText(facts, this.#columns()));
    if (canPaste) this.#readPaste(event);
    else if (this.#live.isRewritable) {
      stderr.write("\n");
      void this.#countDown(event.expiresAt.getTime(), "the browser");
    }
  }

  #showDevice(event: DeviceCodeEvent): void {
    const { stderr } = this.#options;
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
      qrCode: undefined,
    };
    const withQr = this.#withQr(facts);
    stderr.write(withQr?.text ?? deviceText(facts, this.#columns()));
    if (!this.#live.isRewritable) return;
    if (withQr?.isClose !== true) stderr.write("\n");
    void this.#countDown(event.expiresAt.getTime(), "the code");
  }

  /** The text with a QR code, as roomy as the terminal allows; undefined where none fits. */
  #withQr(facts: DeviceFacts): { readonly text: string; readonly isClose: boolean } | undefined {
    const { renderQr } = this.#options;
    if (!this.#live.isTerminal || renderQr === undefined) return undefined;
    const address = facts.verificationUriComplete ?? facts.verificationUri;
    const forms = [
      { layOut: deviceText, isClose: false, more: linesAroundQr },
      { layOut: closeDeviceText, isClose: true, more: lineOfCountdown },
    ];
    for (const { layOut, isClose, more } of forms) {
      const rows = this.#rowsBeside(layOut(facts, this.#columns()), more);
      const qrCode = renderQr(address, this.#live.width, rows);
      if (qrCode !== undefined) {
        return { text: layOut({ ...facts, qrCode }, this.#columns()), isClose };
      }
    }
    return undefined;
  }

  /** The address of a browser sign-in stands above, and a pasted one is waited for. */
  #addDeviceWay(event: DeviceCodeEvent): void {
    const text = deviceWayText(event, event.expiresAt, this.#columns(), this.#numberedWays);
    // Numbered ways stand close; anything else has an empty line on either side.
    if (this.#numberedWays) this.#live.writeAbove(text);
    else this.#live.writeAbove(this.#live.isDrawn ? `${text}\n` : `\n${text}`);
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
    const facts = { processId, phase, canTakeOver: this.#offerTakeOver(wait) };
    if (this.#live.isRewritable) {
      const line = waitingForOtherLine(facts, this.#live.width);
      if (line !== wait.shown) this.#live.set(line);
      wait.shown = line;
      return;
    }
    // A line that stays: not for a refresh, of which hundreds of processes would each leave one in a log.
    if (phase !== "login") return;
    const text = waitingForOtherText(facts, this.#columns());
    if (text !== wait.shown) this.#options.stderr.write(text);
    wait.shown = text;
  }

  /** Enter signs in here instead of there, as long as the other can be asked. True where that is offered. */
  #offerTakeOver(wait: Wait): boolean {
    const { stdin, terminalRole, raiseSignal } = this.#options;
    // Another sign-in of this very program is on this very terminal.
    const { takeOver, processId } = wait.event;
    if (takeOver === undefined || processId === process.pid || !this.#live.isRewritable) {
      wait.reading?.stop();
      wait.reading = undefined;
      return false;
    }
    if (wait.reading !== undefined) return true;
    if (!isFreeTerminal(stdin) || this.#live.isInBackground) return false;
    const ignore = (): void => undefined;
    const onEmptyLine = (): void => {
      wait.reading?.stop();
      wait.event.takeOver?.();
      wait.event = { type: "waitingForOther", phase: wait.event.phase };
      wait.shown = takingOverLine(this.#live.width);
      this.#live.set(wait.shown);
    };
    const handlers = { onLength: ignore, onLine: ignore, onEmptyLine };
    wait.reading = readLines(stdin, maxUrlCharacters, handlers, { terminalRole, raiseSignal });
    return true;
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
        this.#live.set(countdownText(expiresAt - clock.now(), this.#live.width, awaited));
        await clock.sleep(1000, { unref: true, signal: countdown.signal });
      }
    } catch {
      // Settled, or standard error is gone: nothing more to show.
    }
  }

  #readPaste(event: AuthorizationUrlEvent): void {
    const { stdin, terminalRole, raiseSignal } = this.#options;
    this.#reading = readLines(
      stdin,
      maxUrlCharacters,
      {
        onLength: (characters) => {
          // Also the empty prompt: at first, and after a line that was refused.
          this.#live.set(`> ${pastingText(characters, this.#live.width)}`);
        },
        onLine: (line) => this.#takeLine(line, event),
      },
      { terminalRole, raiseSignal },
    );
    if (this.#live.isInBackground) {
      this.#options.stderr.write(`${wrap(inBackgroundText, this.#columns())}\n`);
    }
  }

  #takeLine(line: string, event: AuthorizationUrlEvent): void {
    const pasted = readPastedRedirect(line, event.redirectUri);
    if ("problem" in pasted) {
      this.#live.writeAbove(`${wrap(pasted.problem, this.#columns())}\n`);
      return;
    }
    const state = new URL(event.url).searchParams.get("state");
    if (state !== null && pasted.parameters.get("state") !== state) {
      this.#live.writeAbove(`${wrap(otherSignInPastedText, this.#columns())}\n`);
      return;
    }
    this.#takeAway();
    this.#options.stderr.write(`${receivedText}\n`);
    event.paste(line);
  }

  #askTrust(event: TrustQuestionEvent): void {
    const { stderr, stdin, terminalRole, raiseSignal } = this.#options;
    const on = { live: this.#live, stderr, stdin, terminalRole, raiseSignal };
    this.#reading = askOnTerminal(event, this.#columns(), on);
  }

  #takeAway(): void {
    this.#countdown?.abort();
    this.#countdown = undefined;
    this.#reading?.stop();
    this.#reading = undefined;
    this.#wait?.ended.abort();
    this.#wait?.reading?.stop();
    this.#wait = undefined;
    this.#live.erase();
  }
}

/**
 * Makes the default prompt handler. It shows the address of a sign-in, counts down on a terminal, and takes a pasted
 * address where no browser could be opened. Plain text; on a terminal alone, escape codes erase its own line and colour a
 * QR code.
 */
export function createTerminalPrompt(options: TerminalPromptOptions): PromptHandler {
  const prompt = new TerminalPrompt(options);
  return (event) => prompt.handle(event);
}
