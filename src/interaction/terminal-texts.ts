// Every text that the library shows on a terminal, in one place. Changes when a wording does.

import { sanitizeProviderText } from "../core/errors.ts";
import { isLocalhostName, isLoopbackHost } from "../core/hosts.ts";
import { maxUserCodeCharacters } from "../core/limits.ts";
import { wrap, type Columns } from "./layout.ts";

/** What the texts of one sign-in are made from. */
export interface SignInFacts {
  /** The authorization URL. */
  readonly url: string;
  readonly redirectUri: string;
  readonly browserOpened: boolean;
  readonly browserProblem: string | undefined;
  /** Whether a browser was started for this sign-in before, and has not come. */
  readonly isLate: boolean;
  /** Whether the person can paste the address here. */
  readonly canPaste: boolean;
  /** `user@host` of this machine, where the person came by SSH. */
  readonly sshDestination: string | undefined;
}

/** What the texts of a device code are made from. */
export interface DeviceFacts {
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  readonly browserOpened: boolean;
  /** One sentence. */
  readonly why: string | undefined;
  readonly issuer: string | undefined;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** A QR code of the address, as lines that fit. */
  readonly qrCode: string | undefined;
}

const ownSignInAlone = "Enter it only if you started this sign-in yourself.";

/** What a person may be shown of an address: re-serialised, so that it holds no space, control or escape character. */
function shownUrl(url: string): string {
  return URL.canParse(url) ? new URL(url).href : sanitizeProviderText(url);
}

function shownHost(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "the provider";
}

/** The command that brings the port of a loopback redirect URI to the person's own machine. */
function forwardCommand(facts: SignInFacts): string | undefined {
  const { hostname, port } = new URL(facts.redirectUri);
  if (facts.sshDestination === undefined || port === "") return undefined;
  if (!isLoopbackHost(hostname)) return undefined;
  const target = isLocalhostName(hostname) ? "127.0.0.1" : hostname;
  return `ssh -L ${port}:${target}:${port} ${facts.sshDestination}`;
}

function paragraphs(...parts: string[]): string {
  return `${parts.join("\n\n")}\n`;
}

/** `2  Or forward the port first:  COMMAND`; the command on its own line where it does not fit, and never broken. */
function forwardWay(command: string, columns: Columns): string {
  const line = `2  Or forward the port first:  ${command}`;
  if (columns === undefined || line.length <= columns) return line;
  return `2  Or forward the port first:\n\n${command}\n`;
}

/** The text of a sign-in, up to where a countdown or a `>` follows on a terminal. */
export function signInText(facts: SignInFacts, columns: Columns): string {
  const host = shownHost(facts.url);
  const url = shownUrl(facts.url);
  if (facts.browserOpened) {
    return paragraphs(
      wrap(`Opening your browser to sign in at ${host}. If nothing opens, visit:`, columns),
      url,
    );
  }
  if (facts.browserProblem === undefined) {
    return paragraphs(wrap(`To sign in at ${host}, visit:`, columns), url);
  }
  const lead = facts.isLate
    ? "The browser has not opened the page so far."
    : `No browser here (${sanitizeProviderText(facts.browserProblem, 80)}).`;
  const command = forwardCommand(facts);
  if (facts.canPaste && command !== undefined) {
    return paragraphs(
      wrap(`${lead} Sign in with any of these; the first one counts:`, columns),
      wrap("1  Open this on your computer, then paste the address it ends at here:", columns, 3),
      url,
      forwardWay(command, columns),
    ).replace(/\n+$/u, "\n");
  }
  if (facts.canPaste) {
    return paragraphs(
      wrap(
        `${lead} To sign in at ${host}, open this in any browser. If it ends at a page that cannot be reached, paste that page's address here:`,
        columns,
      ),
      `${url}\n`,
    );
  }
  if (command !== undefined) {
    return paragraphs(
      wrap(`${lead} To sign in at ${host}, forward the port on your computer first:`, columns),
      command,
      wrap("Then open this there:", columns),
      url,
    );
  }
  const { origin } = new URL(facts.redirectUri);
  return paragraphs(
    wrap(
      `${lead} To sign in at ${host}, open this in a browser that reaches this machine at ${origin}:`,
      columns,
    ),
    url,
  );
}

/** Whether the ways to sign in are counted, so that another one goes on with 3. */
export function hasNumberedWays(facts: SignInFacts): boolean {
  return (
    !facts.browserOpened &&
    facts.browserProblem !== undefined &&
    facts.canPaste &&
    forwardCommand(facts) !== undefined
  );
}

/** `id.example.com as client data-cli for openid email`: what a code from a stranger would get wrong (V07). */
function whereAndAsWhom(facts: DeviceFacts): string {
  const { issuer, clientId, scopes } = facts;
  const host = shownHost(issuer ?? facts.verificationUri);
  const client = clientId === undefined ? "" : ` as client ${sanitizeProviderText(clientId, 100)}`;
  const wanted = sanitizeProviderText(scopes.join(" "), 200);
  return `${host}${client}${wanted === "" ? "" : ` for ${wanted}`}`;
}

function shownUserCode(userCode: string): string {
  return sanitizeProviderText(userCode, maxUserCodeCharacters);
}

function deviceLead(facts: DeviceFacts): string {
  const where = whereAndAsWhom(facts);
  return facts.browserOpened
    ? `Opening your browser to sign in at ${where}. If nothing opens, visit on any device:`
    : `To sign in at ${where}, visit on any device:`;
}

/** The text of a sign-in with a device code, up to where a countdown follows on a terminal. */
export function deviceText(facts: DeviceFacts, columns: Columns): string {
  const { verificationUriComplete: complete, why, qrCode } = facts;
  return paragraphs(
    ...(why === undefined ? [] : [wrap(sanitizeProviderText(why, 300), columns)]),
    wrap(deviceLead(facts), columns),
    shownUrl(facts.verificationUri),
    `and enter  ${shownUserCode(facts.userCode)}`,
    ...(complete === undefined
      ? []
      : [
          wrap("Or visit this, and check that it shows the same code:", columns),
          shownUrl(complete),
        ]),
    ...(qrCode === undefined ? [] : [qrCode]),
    wrap(ownSignInAlone, columns),
  );
}

/** The same without empty lines, for a terminal on which a QR code would otherwise not fit. */
export function closeDeviceText(facts: DeviceFacts, columns: Columns): string {
  const { verificationUriComplete: complete, why, qrCode } = facts;
  const code = `and enter  ${shownUserCode(facts.userCode)}`;
  return [
    ...(why === undefined ? [] : [wrap(sanitizeProviderText(why, 300), columns)]),
    wrap(deviceLead(facts), columns),
    shownUrl(facts.verificationUri),
    wrap(`${code}. ${ownSignInAlone}${complete === undefined ? "" : " Or visit:"}`, columns),
    ...(complete === undefined ? [] : [shownUrl(complete)]),
    ...(qrCode === undefined ? [] : [qrCode]),
    "",
  ].join("\n");
}

/** A device code beside the address of a browser sign-in: on one line, on two, or with its address on a line of its own. */
export function deviceWayText(
  facts: Pick<DeviceFacts, "userCode" | "verificationUri">,
  expiresAt: Date,
  columns: Columns,
  isNumbered: boolean,
): string {
  const url = shownUrl(facts.verificationUri);
  const code = `and enter  ${shownUserCode(facts.userCode)}  (until ${timeOfDay(expiresAt)})`;
  const number = isNumbered ? "3  " : "";
  const lead = `${number}Or on any device visit`;
  const short = `${lead} ${url}`;
  const width = columns ?? 0;
  if (short.length + 1 + code.length <= width) return `${short} ${code}\n`;
  if (Math.max(short.length, number.length + code.length) <= width) {
    return `${short}\n${" ".repeat(number.length)}${code}\n`;
  }
  return `${isNumbered ? "\n" : ""}${wrap(lead, columns)}\n\n${url}\n\n${wrap(code, columns)}\n`;
}

// A line that stays cannot count down.
function timeOfDay(instant: Date): string {
  const [hours, minutes] = [instant.getHours(), instant.getMinutes()];
  return `${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}

function timeLeft(milliseconds: number): string {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The line that counts down, in the longest form that fits on one line. */
export function countdownText(
  milliseconds: number,
  columns: number,
  awaited: "the browser" | "the code" = "the browser",
): string {
  const left = timeLeft(milliseconds);
  const forms = [
    `Waiting for ${awaited}${awaited === "the code" ? " to be entered" : ""} (${left}). Ctrl-C cancels.`,
    `Waiting (${left}). Ctrl-C cancels.`,
    `Waiting (${left})`,
  ];
  // A line as wide as the terminal would wrap, and could not be rewritten.
  return forms.find((form) => form.length < columns) ?? "";
}

/** Stands after `>` while an address is pasted: never the address itself, which holds the code. */
export function pastingText(characters: number, columns: number): string {
  if (characters === 0) return "";
  const count = `${characters} ${characters === 1 ? "character" : "characters"}`;
  const forms = [
    `${count}. Enter takes them, Ctrl-U starts over.`,
    `${count}. Press Enter.`,
    count,
  ];
  return forms.find((form) => form.length + 2 < columns) ?? "";
}

/** A background job cannot read its terminal. */
export const inBackgroundText =
  "This runs in the background: bring it to the foreground (fg) to paste the address.";

/** A pasted address was taken. */
export const receivedText = "Received. Finishing sign-in.";

/** A pasted address has another sign-in's state. */
export const otherSignInPastedText =
  "That address is from another sign-in. Open the address above, and paste the one that it ends at.";

/** Whom a process waits for. */
export interface WaitFacts {
  /** Undefined where it is not known. */
  readonly processId: number | undefined;
  readonly phase: "refresh" | "login";
  /** Whether Enter takes a sign-in of the other over. Default: false. */
  readonly canTakeOver?: boolean;
}

const waitLeads: Readonly<Record<WaitFacts["phase"], string>> = {
  refresh: "is renewing the token",
  login: "is signing in",
};

function waitForms({ processId, phase, canTakeOver }: WaitFacts): string[] {
  // Ctrl-C ends all that one process does.
  if (processId === process.pid) {
    const what = phase === "login" ? "sign-in" : "renewal";
    return [
      `Waiting for another ${what} of this program (Ctrl-C stops both).`,
      `Waiting for another ${what}.`,
      "Waiting.",
    ];
  }
  const lead = `${processId === undefined ? "Another process" : `Process ${processId}`} ${waitLeads[phase]}`;
  if (canTakeOver === true) {
    return [
      `${lead}; waiting. Press Enter to sign in here instead.`,
      `${lead}; Enter: sign in here.`,
      "Waiting. Enter: sign in here.",
      "Waiting.",
    ];
  }
  return [
    `${lead}; waiting for it (Ctrl-C stops waiting, not it).`,
    `${lead}; waiting (Ctrl-C stops waiting, not it).`,
    `${lead}; waiting.`,
    `Waiting for ${processId === undefined ? "another process" : `process ${processId}`}.`,
    "Waiting.",
  ];
}

/** Enter was pressed: the other process is asked, and leaves its sign-in in a moment. */
export function takingOverLine(columns: number): string {
  const forms = ["Taking over the sign-in.", "Waiting."];
  return forms.find((form) => form.length < columns) ?? "";
}

/** The line that says whom this process waits for, in the longest form that fits; never an address or a code. */
export function waitingForOtherLine(facts: WaitFacts, columns: number): string {
  // A line as wide as the terminal would wrap, and could not be rewritten.
  return waitForms(facts).find((form) => form.length < columns) ?? "";
}

/** The same where a line cannot be rewritten: it stays. */
export function waitingForOtherText(facts: WaitFacts, columns: Columns): string {
  return `${wrap(waitForms(facts)[0] ?? "", columns)}\n`;
}

/** Something worth knowing that did not stop the work. */
export function warningText(code: string, message: string, columns: Columns): string {
  const text = `Warning: ${sanitizeProviderText(message, 1000)} [${sanitizeProviderText(code, 64)}]`;
  return `${wrap(text, columns)}\n`;
}
