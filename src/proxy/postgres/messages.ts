// The messages of PostgreSQL's protocol that come before the first query, read and written.
// @see PostgreSQL 18 documentation, chapter 54 "Frontend/Backend Protocol"

/** One message of a connection that has begun. */
export interface Message {
  /** One letter. */
  readonly type: string;
  readonly body: Buffer;
}

/** The first packet of a client. */
export type StartupPacket =
  /** `whole` goes on to the server as it is. */
  | { readonly kind: "startup"; readonly whole: Buffer; readonly parameters: Parameters }
  | { readonly kind: "cancel"; readonly whole: Buffer; readonly key: string }
  /** It wants the connection to be encrypted, in one of two ways. */
  | { readonly kind: "encryption"; readonly way: "tls" | "gss" }
  | { readonly kind: "unknown" };

/** What a client says of itself: `user`, `database` and others. */
export type Parameters = ReadonlyMap<string, string>;

/** Longest first packet, in bytes, as the server itself has it. */
export const maxStartupBytes = 10_000;
/** Longest message before the first query that is taken, in bytes. */
export const maxMessageBytes: number = 64 * 1024;

const cancelCode = 80_877_102;
const tlsCode = 80_877_103;
const gssCode = 80_877_104;
const majorVersion = 3;
const headBytes = 8;
// Since protocol 3.2 a key is up to 256 bytes long.
const maxCancelBytes = headBytes + 4 + 256;

/** How a connection to the server is asked to be encrypted. */
export const tlsRequest: Buffer = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** A message of a connection that has begun. */
export function messageOf(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, "latin1"), int32(body.length + 4), body]);
}

/** Names and values in turn, each ended by a zero; undefined for anything else. */
function parametersOf(body: Buffer): Parameters | undefined {
  const words = body.toString("utf8").split("\0");
  // The last one is followed by one more zero.
  if (words.length < 2 || words.at(-1) !== "" || words.at(-2) !== "") return undefined;
  const pairs = words.slice(0, -2);
  if (pairs.length % 2 !== 0) return undefined;
  const parameters = new Map<string, string>();
  for (let at = 0; at < pairs.length; at += 2) {
    const name = pairs[at] ?? "";
    if (name === "") return undefined;
    parameters.set(name, pairs[at + 1] ?? "");
  }
  return parameters;
}

/** Reads a first packet, its length included. */
export function readStartup(whole: Buffer): StartupPacket {
  if (whole.length < headBytes) return { kind: "unknown" };
  const code = whole.readInt32BE(4);
  if (code === tlsCode) return { kind: "encryption", way: "tls" };
  if (code === gssCode) return { kind: "encryption", way: "gss" };
  if (code === cancelCode) {
    const isKey = whole.length > headBytes + 4 && whole.length <= maxCancelBytes;
    return isKey
      ? { kind: "cancel", whole, key: keyOf(whole.subarray(headBytes)) }
      : { kind: "unknown" };
  }
  const parameters =
    code >>> 16 === majorVersion ? parametersOf(whole.subarray(headBytes)) : undefined;
  return parameters?.has("user") === true
    ? { kind: "startup", whole, parameters }
    : { kind: "unknown" };
}

/** A session's process and its key, as one text (`BackendKeyData`, `CancelRequest`). */
export function keyOf(body: Buffer): string {
  return body.toString("hex");
}

/** A first packet that names a database, where the client's names none. */
export function withDatabase(
  { whole, parameters }: Extract<StartupPacket, { kind: "startup" }>,
  database: string,
): Buffer {
  if (parameters.has("database") || database === "") return whole;
  const body = Buffer.concat([
    whole.subarray(4, -1),
    Buffer.from(`database\0${database}\0\0`, "utf8"),
  ]);
  return Buffer.concat([int32(body.length + 4), body]);
}

/** What the server wants for authentication. */
export type AuthenticationRequest =
  | { readonly kind: "ok" }
  /** The names of mechanisms. */
  | { readonly kind: "sasl"; readonly mechanisms: readonly string[] }
  /** Of the mechanism that was chosen: for OAUTHBEARER the server's refusal, as JSON. */
  | { readonly kind: "continue"; readonly data: Buffer }
  | { readonly kind: "other" };

/** Reads the body of an `R` message. */
export function readAuthentication(body: Buffer): AuthenticationRequest {
  const code = body.length < 4 ? -1 : body.readInt32BE(0);
  if (code === 0) return { kind: "ok" };
  if (code === 10) {
    const mechanisms = body.toString("latin1", 4).split("\0");
    return { kind: "sasl", mechanisms: mechanisms.filter((each) => each !== "") };
  }
  return code === 11 ? { kind: "continue", data: body.subarray(4) } : { kind: "other" };
}

/** The mechanism of RFC 7628, which PostgreSQL speaks since version 18. */
export const mechanism = "OAUTHBEARER";

/**
 * The first message of OAUTHBEARER, with a token.
 * @see RFC 7628 section 3.1
 */
export function bearerMessage(token: string): Buffer {
  const said = Buffer.from(`n,,\u0001auth=Bearer ${token}\u0001\u0001`, "latin1");
  const name = Buffer.from(`${mechanism}\0`, "latin1");
  return messageOf("p", Buffer.concat([name, int32(said.length), said]));
}

/** The answer to a refusal, after which the server says why. @see RFC 7628 section 3.2.3 */
export const refusalSeen: Buffer = messageOf("p", Buffer.from([1]));

/** Asks a client for its password. */
export const passwordRequest: Buffer = messageOf("R", int32(3));

/** The text of a `p` message with a password; undefined for another one. */
export function readPassword({ type, body }: Message): string | undefined {
  return type === "p" && body.at(-1) === 0 ? body.toString("utf8", 0, body.length - 1) : undefined;
}

/** An error that ends the connection, as the server itself would send it. `state`: a SQLSTATE of five characters. */
export function errorMessage(state: string, text: string): Buffer {
  const fields = ["SFATAL", "VFATAL", `C${state}`, `M${text.replaceAll("\0", "")}`];
  return messageOf("E", Buffer.from(`${fields.join("\0")}\0\0`, "utf8"));
}
