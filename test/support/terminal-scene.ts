// A played terminal, with a person at it. Changes when a test of the prompt needs more.
import { EventEmitter } from "node:events";
import { onTestFinished } from "vitest";
import { createManualClock } from "./manual-clock.ts";
import type { ManualClock } from "./manual-clock.ts";
import type {
  AuthorizationUrlEvent,
  DeviceCodeEvent,
  PromptHandler,
} from "../../src/core/prompt.ts";
import type { TerminalRole } from "../../src/interaction/foreground.ts";
import type { TerminalInput } from "../../src/interaction/line-input.ts";
import { createTerminalPrompt } from "../../src/interaction/terminal.ts";

export const url =
  "https://id.example.com/authorize?response_type=code&client_id=data-cli&state=s1&code_challenge=abcdefghijklmnopqrstuvwxyz";
export const redirectUri = "http://127.0.0.1:8765/callback";
export const verificationUri = "https://id.example.com/device";
export const verificationUriComplete = `${verificationUri}?user_code=WDJB-MJHT`;
export const pastedAddress = `${redirectUri}?code=the-code&state=s1`;
export const ssh = { SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22", USER: "alice" };

/** Standard input that a test types into. */
export class PlayedInput extends EventEmitter implements TerminalInput {
  isTTY = true;
  isRaw = false;
  reading = false;
  holdsProcess = true;
  setRawMode(mode: boolean): void {
    this.isRaw = mode;
  }
  resume(): void {
    this.reading = true;
  }
  pause(): void {
    this.reading = false;
  }
  ref(): void {
    this.holdsProcess = true;
  }
  unref(): void {
    this.holdsProcess = false;
  }
  type(text: string): void {
    this.emit("data", Buffer.from(text));
  }
}

/** What stands on a terminal after `output`: a line that was erased is gone. */
function screenOf(output: string): string {
  return output.replace(/[^\n]*\r\u001b\[2K/gu, "");
}

export interface Scene {
  readonly prompt: PromptHandler;
  readonly clock: ManualClock;
  readonly stdin: PlayedInput;
  readonly pasted: string[];
  readonly signals: string[];
  readonly output: () => string;
  readonly screen: () => string;
  readonly show: (changes?: Partial<AuthorizationUrlEvent>) => void;
  readonly showCode: (changes?: Partial<DeviceCodeEvent>) => void;
  /** The terminal's window changes its width. */
  readonly resize: (columns: number) => void;
}

export interface SceneOptions {
  columns?: number;
  rows?: number;
  terminal?: boolean;
  terminalInput?: boolean;
  environment?: Record<string, string>;
  hostName?: string;
  terminalRole?: () => TerminalRole;
  raiseSignal?: (signal: string) => void;
  renderQr?: (text: string, columns: number, rows: number | undefined) => string | undefined;
}

export function scene(options: SceneOptions = {}): Scene {
  const clock = createManualClock();
  const stdin = new PlayedInput();
  stdin.isTTY = options.terminalInput ?? true;
  let output = "";
  const pasted: string[] = [];
  const signals: string[] = [];
  const stderr = {
    write: (text: string) => (output += text),
    isTTY: options.terminal ?? true,
    columns: options.columns ?? 80,
    rows: options.rows,
  };
  const prompt = createTerminalPrompt({
    stderr,
    stdin,
    environment: options.environment ?? {},
    clock,
    hostName: options.hostName ?? "build-7",
    raiseSignal: options.raiseSignal ?? ((signal) => signals.push(signal)),
    terminalRole: options.terminalRole ?? (() => "foreground"),
    renderQr: options.renderQr,
  });
  onTestFinished(() => prompt({ type: "settled" }));
  return {
    prompt,
    clock,
    stdin,
    pasted,
    signals,
    output: () => output,
    screen: () => screenOf(output),
    resize: (columns) => {
      stderr.columns = columns;
    },
    show: (changes = {}) =>
      prompt({
        type: "authorizationUrl",
        url,
        redirectUri,
        browserOpened: false,
        expiresAt: new Date(clock.now() + 298_000),
        paste: (address) => pasted.push(address),
        cancel: () => undefined,
        ...changes,
      }),
    showCode: (changes = {}) =>
      prompt({
        type: "deviceCode",
        userCode: "WDJB-MJHT",
        verificationUri,
        expiresAt: new Date(clock.now() + 598_000),
        issuer: "https://id.example.com",
        clientId: "data-cli",
        scopes: ["openid", "profile", "email"],
        cancel: () => undefined,
        ...changes,
      }),
  };
}
