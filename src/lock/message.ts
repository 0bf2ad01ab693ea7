// What holder and waiter say to each other, line by line. Changes when the protocol between processes does.

import { isOidcErrorCode } from "../core/error-table.ts";
import type { SerializedOidcError } from "../core/errors.ts";
import { isWording } from "../core/wording.ts";
import { maxInstantSeconds, maxLockMessageBytes } from "../core/limits.ts";
import { proofBytes } from "./proof.ts";
import type { Sealer } from "./proof.ts";
import { processNamespace } from "../files/processes.ts";
import type { LockHolder, WorkOutcome, WorkPhase } from "./types.ts";

/** What a holder tells, sealed, once both nonces are known. */
export type HolderMessage =
  | ({ readonly kind: "holder" } & LockHolder)
  | { readonly kind: "phase"; readonly phase: WorkPhase }
  | WorkOutcome;

/** First line of a waiter: its nonce. */
export function encodeHello(nonce: Uint8Array): string {
  return line({ nonce: encodeBytes(nonce) });
}

/** First line of a holder: its nonce and its proof. */
export function encodeHolderHello(nonce: Uint8Array, proof: Uint8Array): string {
  return line({ nonce: encodeBytes(nonce), proof: encodeBytes(proof) });
}

/** Second line of a waiter: its proof. */
export function encodeProof(proof: Uint8Array): string {
  return line({ proof: encodeBytes(proof) });
}

/** Third and last line of a waiter whose person wants to sign in there instead: a proof of that. */
export function encodeTakeOver(proof: Uint8Array): string {
  return line({ takeOver: encodeBytes(proof) });
}

/** The nonce of a first line, undefined where it is none. */
export function parseNonce(text: string): Uint8Array | undefined {
  return decodeProofBytes(parseObject(text)?.["nonce"]);
}

/** The proof of a line, undefined where it is none. */
export function parseProof(text: string): Uint8Array | undefined {
  return decodeProofBytes(parseObject(text)?.["proof"]);
}

/** The proof of a line that asks for the lock, undefined where it is none. */
export function parseTakeOver(text: string): Uint8Array | undefined {
  return decodeProofBytes(parseObject(text)?.["takeOver"]);
}

/** A message of the holder as a sealed line. An error too long for one line loses the end of its message. */
export function encodeHolderMessage(message: HolderMessage, sealer: Sealer): string {
  return line({ sealed: Buffer.from(sealer.seal(holderText(message))).toString("base64") });
}

/**
 * Opens a sealed line. Undefined: not from the holder. Null: from the holder, but in words of a newer version, to be
 * passed over.
 */
export function parseHolderMessage(text: string, sealer: Sealer): HolderMessage | null | undefined {
  const sealed = parseObject(text)?.["sealed"];
  if (typeof sealed !== "string") return undefined;
  const opened = sealer.open(Buffer.from(sealed, "base64"));
  return opened === undefined ? undefined : parseHolderText(opened);
}

/** What a holder says, in the words that are sealed. Null: in words of a newer version, to be passed over. */
export function parseHolderText(text: string): HolderMessage | null {
  const members = parseObject(text);
  switch (members?.["kind"]) {
    case "holder": {
      const { processId, namespace, phase, since } = members;
      if (!isProcessId(processId) || !isPhase(phase) || !isInstant(since)) return null;
      // In another namespace the same number is another process, and nobody must be told to end that one.
      const isKnownHere = namespace === processNamespace();
      return { kind: "holder", ...(isKnownHere ? { processId } : {}), phase, since };
    }
    case "phase": {
      const { phase } = members;
      return isPhase(phase) ? { kind: "phase", phase } : null;
    }
    case "done": {
      const { version } = members;
      return typeof version === "string" ? { kind: "done", version } : null;
    }
    case "failed": {
      const error = parseError(members["error"]);
      return error === undefined ? null : { kind: "failed", error };
    }
    default:
      return null;
  }
}

/** Cuts a stream of bytes into lines. */
export interface LineReader {
  /** Takes the next bytes; gives the lines that they complete, or undefined when a line is longer than allowed. */
  push(chunk: Uint8Array): string[] | undefined;
}

/** A reader of lines of at most `maxBytes` bytes; it keeps no more than that. */
export function createLineReader(maxBytes: number = maxLockMessageBytes): LineReader {
  let parts: Uint8Array[] = [];
  let partBytes = 0;
  return {
    push(chunk) {
      const lines: string[] = [];
      let start = 0;
      for (;;) {
        const end = chunk.indexOf(0x0a, start);
        const part = chunk.subarray(start, end === -1 ? chunk.length : end);
        partBytes += part.length;
        if (partBytes > maxBytes) return undefined;
        parts.push(part);
        if (end === -1) return lines;
        lines.push(Buffer.concat(parts).toString());
        parts = [];
        partBytes = 0;
        start = end + 1;
      }
    },
  };
}

function line(members: Readonly<Record<string, string>>): string {
  return `${JSON.stringify(members)}\n`;
}

function encodeBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function decodeProofBytes(value: unknown): Uint8Array | undefined {
  if (typeof value !== "string" || value.length !== proofBytes * 2) return undefined;
  return /^[0-9a-f]+$/u.test(value) ? Buffer.from(value, "hex") : undefined;
}

// Base64, padding and the JSON around it make a sealed text longer by a third and a little.
const maxTextBytes = Math.floor((maxLockMessageBytes - 1024) * 0.74);

/** A message of the holder in words, to be sealed. An error too long for one line loses the end of its message. */
export function holderText(message: HolderMessage): string {
  let text = JSON.stringify(
    message.kind === "holder" ? { ...message, namespace: processNamespace() } : message,
  );
  if (message.kind !== "failed") return text;
  let { error } = message;
  if (Buffer.byteLength(text) > maxTextBytes) {
    // The message says all of it, in the library's words.
    const { summary: _summary, remedy: _remedy, quote: _quote, ...plain } = error;
    error = plain;
    text = JSON.stringify({ kind: "failed", error });
  }
  while (Buffer.byteLength(text) > maxTextBytes && error.message !== "") {
    error = { ...error, message: error.message.slice(0, Math.floor(error.message.length / 2)) };
    text = JSON.stringify({ kind: "failed", error: { ...error, message: `${error.message}…` } });
  }
  return text;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function isPhase(value: unknown): value is WorkPhase {
  return value === "refresh" || value === "login";
}

function isProcessId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

function isInstant(value: unknown): value is number {
  return (
    Number.isSafeInteger(value) &&
    (value as number) > 0 &&
    (value as number) <= maxInstantSeconds * 1000
  );
}

function parseError(value: unknown): SerializedOidcError | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const members = value as Record<string, unknown>;
  const { code, message, reason, providerError, providerErrorDescription, retryAfterSeconds } =
    members;
  const { summary, remedy, quote } = members;
  if (!isOidcErrorCode(code) || typeof message !== "string") return undefined;
  return {
    code,
    message,
    ...(isWording(summary) ? { summary } : {}),
    ...(isWording(remedy) ? { remedy } : {}),
    ...(typeof quote === "string" ? { quote } : {}),
    ...(typeof reason === "string" ? { reason } : {}),
    ...(typeof providerError === "string" ? { providerError } : {}),
    ...(typeof providerErrorDescription === "string" ? { providerErrorDescription } : {}),
    ...(typeof retryAfterSeconds === "number" ? { retryAfterSeconds } : {}),
  };
}
