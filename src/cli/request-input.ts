// What `latchkey fetch` sends: address, method, headers and body, from words, files and standard input.

import { createReadStream } from "node:fs";
import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import { absolutePath, type Machine } from "../options/paths.ts";
import type { CommandLine } from "./arguments.ts";
import { readStream } from "./secret-input.ts";

/** A request before its token. */
export interface RequestInput {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

/** Where files and standard input are. */
export interface InputPlace {
  readonly machine: Machine;
  /** Something else is read from standard input. */
  readonly isInputTaken: boolean;
  readonly signal: AbortSignal;
}

/** Longest body that is read, in bytes: it is kept in memory, to be sent once more with a better token. */
const maxBodyBytes: number = 256 * 1024 * 1024;
/** Longest file of headers, in bytes. */
const maxHeadersBytes: number = 64 * 1024;

// RFC 9110 section 5.6.2: token; section 5.5: visible characters, spaces and tabs, of which Node writes Latin-1.
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;
const headerValue = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
// Fetch standard section 2.2.1: what no request may use.
const forbiddenMethods = ["CONNECT", "TRACE", "TRACK"];
// They belong to the connection, which is not the caller's.
const ofConnection = [
  "connection",
  "content-length",
  "expect",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

// Nothing that was typed as a value is shown: it may be a secret (O07).
function refuse(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** A host alone means https. @throws {OidcError} `invalid_option`. */
function addressOf(typed: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`);
  if (url === null || typed.length > maxUrlCharacters) {
    throw refuse("URL is not an address.", "It looks like https://api.example.com/path.");
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw refuse("URL is neither an https: nor an http: address.");
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse(
      "URL holds a user name or a password.",
      "Take it out: the request carries a token.",
    );
  }
  url.hash = "";
  return url;
}

function methodOf(typed: string | undefined, hasBody: boolean): string {
  const method = (typed ?? (hasBody ? "POST" : "GET")).toUpperCase();
  if (token.test(method) && !forbiddenMethods.includes(method)) return method;
  throw refuse("--method is not a method that can be sent.", "It looks like PUT.");
}

/** Files and standard input, each behind `@`. */
class NamedInputs {
  readonly #place: InputPlace;
  #isInputTaken: boolean;

  constructor(place: InputPlace) {
    this.#place = place;
    this.#isInputTaken = place.isInputTaken;
  }

  /** @throws {OidcError} `invalid_option`; the signal's reason. */
  async read(name: string, flag: string, maxBytes: number): Promise<Buffer> {
    const { machine, signal } = this.#place;
    if (name === "") throw refuse(`${flag} @ needs the name of a file behind it, or -.`);
    const what = name === "-" ? "Standard input" : `The file ${sanitizeProviderText(name, 300)}`;
    if (name === "-") {
      if (this.#isInputTaken) throw refuse("Standard input can be read only once.");
      this.#isInputTaken = true;
    }
    const path = name.startsWith("~/") ? absolutePath(name, machine) : name;
    const stream = name === "-" ? process.stdin : createReadStream(path);
    let bytes: Buffer | undefined;
    try {
      bytes = await readStream(stream, signal, maxBytes);
    } catch (error) {
      signal.throwIfAborted();
      const { code = "unknown fault" } = error as NodeJS.ErrnoException;
      throw refuse(
        code === "ENOENT"
          ? `${what} (${flag}) does not exist.`
          : `${what} (${flag}) could not be read (${code}).`,
      );
    }
    if (bytes !== undefined) return bytes;
    throw refuse(`${what} (${flag}) is longer than ${String(maxBytes)} bytes.`);
  }
}

function addHeader(headers: Headers, typed: string, what: string): void {
  const sign = typed.indexOf(":");
  const name = typed.slice(0, Math.max(sign, 0)).trim();
  const value = typed.slice(sign + 1).trim();
  if (!token.test(name) || !headerValue.test(value)) {
    throw refuse(`${what} is not a header.`, "It looks like Accept: application/json.");
  }
  const lower = name.toLowerCase();
  if (lower === "authorization") {
    throw refuse(`${what} is Authorization, which is where Latchkey puts its token.`);
  }
  if (ofConnection.includes(lower)) {
    throw refuse(`${what} is ${name}, which belongs to the connection and cannot be set.`);
  }
  headers.append(name, value);
}

async function headersOf(typed: readonly string[], inputs: NamedInputs): Promise<Headers> {
  const headers = new Headers();
  for (const [place, each] of typed.entries()) {
    const what = typed.length === 1 ? "--header" : `--header number ${String(place + 1)}`;
    if (!each.startsWith("@")) {
      addHeader(headers, each, what);
      continue;
    }
    const text = await inputs.read(each.slice(1), "--header", maxHeadersBytes);
    const lines = text.toString("utf8").split(/\r?\n/);
    for (const [line, content] of lines.entries()) {
      if (content !== "") addHeader(headers, content, `Line ${String(line + 1)} of ${what}`);
    }
  }
  return headers;
}

async function bodyOf(
  typed: readonly string[],
  inputs: NamedInputs,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const parts: Uint8Array[] = [];
  for (const each of typed) {
    if (parts.length > 0) parts.push(Buffer.from("&"));
    parts.push(
      each.startsWith("@")
        ? await inputs.read(each.slice(1), "--data", maxBodyBytes)
        : Buffer.from(each),
    );
  }
  return typed.length === 0 ? undefined : new Uint8Array(Buffer.concat(parts));
}

/**
 * Reads what is to be sent. Files are read whole, as they are.
 * @throws {OidcError} `invalid_option`, never with anything of a value; the signal's reason.
 */
export async function readRequest(
  { arguments: { url = "" }, flags, lists }: CommandLine,
  place: InputPlace,
): Promise<RequestInput> {
  const data = lists["data"] ?? [];
  const address = addressOf(url);
  const { method: typed } = flags;
  const method = methodOf(typeof typed === "string" ? typed : undefined, data.length > 0);
  const inputs = new NamedInputs(place);
  const headers = await headersOf(lists["header"] ?? [], inputs);
  const body = await bodyOf(data, inputs);
  // As curl has it.
  if (body !== undefined && !headers.has("content-type")) {
    headers.set("content-type", "application/x-www-form-urlencoded");
  }
  return { url: address, method, headers, body };
}
