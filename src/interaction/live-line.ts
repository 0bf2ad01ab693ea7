// The line at the bottom of a terminal that is rewritten in place, a countdown or a `>`, and what is written above it.

import { terminalRole as roleOfProcess, type TerminalRole } from "./foreground.ts";

/** The part of `process.stderr` that is used. */
export interface TerminalOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** What {@link liveLineOf} takes. */
export interface LiveLineOptions {
  readonly stderr: TerminalOutput;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Default: what the system says. */
  readonly terminalRole?: (() => TerminalRole) | undefined;
}

const defaultColumns = 80;
const eraseLine = "\r\u001b[2K";
const eraseLineAbove = "\u001b[1A\u001b[2K";

/**
 * At most one line is live. It is drawn only where it can be rewritten, and never by a background job: its terminal
 * shows somebody else's work.
 */
export class LiveLine {
  readonly #options: LiveLineOptions;
  #line = "";
  #hasEnded = false;

  constructor(options: LiveLineOptions) {
    this.#options = options;
  }

  get isTerminal(): boolean {
    return this.#options.stderr.isTTY === true;
  }

  /** Whether the terminal understands how a line is rewritten. */
  get isRewritable(): boolean {
    return this.isTerminal && this.#options.environment["TERM"] !== "dumb";
  }

  /** Whether this process is a job in the background of its terminal, now. */
  get isInBackground(): boolean {
    return (this.#options.terminalRole ?? roleOfProcess)() === "background";
  }

  get isDrawn(): boolean {
    return this.#line !== "";
  }

  get width(): number {
    // 0 is what some pseudo-terminals say when nobody told them.
    return this.#options.stderr.columns || defaultColumns;
  }

  set(line: string): void {
    if (this.#hasEnded || !this.isRewritable || this.isInBackground) return;
    this.#options.stderr.write(`${this.#erasure()}${line}`);
    this.#line = line;
  }

  /** Takes the line away. */
  erase(): void {
    if (this.#line === "") return;
    // In the background the cursor stands elsewhere.
    if (!this.isInBackground) this.#options.stderr.write(this.#erasure());
    this.#line = "";
  }

  /** Takes the line away for good: what is written now is the last thing, and no countdown comes after it. */
  end(): void {
    this.erase();
    this.#hasEnded = true;
  }

  /** Writes whole lines, with the live line below them again. */
  writeAbove(text: string): void {
    const line = this.#line;
    this.erase();
    this.#options.stderr.write(text);
    if (line !== "") this.set(line);
  }

  /** What takes the line away, with the cursor where it began. A terminal that became narrower has broken it. */
  #erasure(): string {
    const rows = Math.ceil(this.#line.length / this.width);
    return eraseLine + eraseLineAbove.repeat(Math.max(0, rows - 1));
  }
}

const lines = new WeakMap<TerminalOutput, LiveLine>();

/** The live line of an output: one, whoever writes there, so that nobody breaks another's. */
export function liveLineOf(options: LiveLineOptions): LiveLine {
  const line = lines.get(options.stderr) ?? new LiveLine(options);
  lines.set(options.stderr, line);
  return line;
}
