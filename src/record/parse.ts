// A cache file's text made into records, believing nothing. Changes when the record's fields do.

import { isBearerToken } from "../core/bearer-token.ts";
import { maxInstantSeconds, maxTokenCharacters, maxUrlCharacters } from "../core/limits.ts";
import type {
  AccessTokenRecord,
  CacheFile,
  OtherAccessTokenRecord,
  RecordServer,
  RefreshIntent,
  RegisteredClient,
  SessionRecord,
  SignInEnd,
} from "./format.ts";
import { schemaVersion } from "./format.ts";
import { agreesWithKey } from "./key.ts";

/** What a cache file's text says. */
export type ParsedCacheFile<Decoded = SessionRecord> =
  | {
      readonly state: "records";
      readonly records: readonly Decoded[];
      /** Those that were left out because their own fields are invalid, as they stand there. */
      readonly damaged: readonly unknown[];
    }
  /** `isOurs`: it begins as what Latchkey writes. Anything else may be somebody's own file. */
  | { readonly state: "damaged"; readonly why: string; readonly isOurs: boolean }
  /** Written by a later version: to be left alone (C10). */
  | { readonly state: "newer" };

type Fields = Readonly<Record<string, unknown>>;

const maxKeyCharacters = 64 * 1024;
const maxVersionCharacters = 200;
const maxNameCharacters = 4 * 1024;
const maxIdentityCharacters = 200;
const maxScopes = 1000;
const maxOtherAccessTokens = 100;
const maxPrompts = 1000;
const maxRedirectUris = 100;
const authenticationMethods: readonly string[] = [
  "none",
  "client_secret_basic",
  "client_secret_post",
];
// A line break in a token would be a header of its own in the request that carries it.
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Thrown and caught in this file only: the shortest way out of a record that cannot be used. */
class Unusable extends Error {}

// Fields are picked by name from own properties into new objects, and nothing is merged: a `__proto__` in the file is
// one more member that nobody asks for (P05).
function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function asFields(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unusable();
  return value as Fields;
}

function stringOf(value: unknown, longest: number): string {
  if (typeof value !== "string" || value.length > longest || controlCharacter.test(value)) {
    throw new Unusable();
  }
  return value;
}

function nonEmptyOf(value: unknown, longest: number): string {
  const text = stringOf(value, longest);
  if (text === "") throw new Unusable();
  return text;
}

function optional<Value>(
  fields: Fields,
  name: string,
  parse: (value: unknown) => Value,
): Value | undefined {
  const value = own(fields, name);
  return value === undefined ? undefined : parse(value);
}

function urlOf(value: unknown): string {
  return nonEmptyOf(value, maxUrlCharacters);
}

function tokenOf(value: unknown): string {
  return nonEmptyOf(value, maxTokenCharacters);
}

/** A token that is handed out: what cannot stand in a header never reaches one (T18). */
function bearerOf(value: unknown): string {
  if (!isBearerToken(value)) throw new Unusable();
  return value;
}

function nameOf(value: unknown): string {
  return stringOf(value, maxNameCharacters);
}

/** An instant that a `Date` can hold. */
function instantOf(value: unknown, longest: number): number {
  if (typeof value !== "number" || !(value >= 0 && value <= longest)) throw new Unusable();
  return value;
}

function secondsOf(value: unknown): number {
  return instantOf(value, maxInstantSeconds);
}

function millisecondsOf(value: unknown): number {
  return instantOf(value, maxInstantSeconds * 1000);
}

function listOf<Value>(value: unknown, most: number, parse: (each: unknown) => Value): Value[] {
  if (!Array.isArray(value) || value.length > most) throw new Unusable();
  return value.map(parse);
}

function parseAccessToken(value: unknown): AccessTokenRecord | null {
  if (value === null) return null;
  const fields = asFields(value);
  if (own(fields, "tokenType") !== "Bearer") throw new Unusable();
  const expiresAt = own(fields, "expiresAt");
  return {
    token: bearerOf(own(fields, "token")),
    tokenType: "Bearer",
    scopes: listOf(own(fields, "scopes"), maxScopes, nameOf),
    issuedAt: secondsOf(own(fields, "issuedAt")),
    expiresAt: expiresAt === null ? null : secondsOf(expiresAt),
  };
}

function namesOrNull(value: unknown, parse: (each: unknown) => string): string[] | null {
  return value === null ? null : listOf(value, maxScopes, parse);
}

/** One that cannot be used is left out: the sign-in itself is not damaged by it, and it can be had again. */
function parseOtherAccessToken(value: unknown): OtherAccessTokenRecord[] {
  try {
    const token = parseAccessToken(value);
    const wanted = asFields(own(asFields(value), "wanted"));
    if (token === null) return [];
    return [
      {
        ...token,
        wanted: {
          scopes: namesOrNull(own(wanted, "scopes"), nameOf),
          resources: namesOrNull(own(wanted, "resources"), urlOf),
        },
      },
    ];
  } catch (error) {
    if (error instanceof Unusable) return [];
    throw error;
  }
}

function parseIntent(value: unknown): RefreshIntent {
  const fields = asFields(value);
  return {
    nonce: nonEmptyOf(own(fields, "nonce"), maxIdentityCharacters),
    host: identityOf(own(fields, "host")),
    at: millisecondsOf(own(fields, "at")),
  };
}

function parseServer(value: unknown): RecordServer {
  const fields = asFields(value);
  const server: RecordServer = {
    address: nonEmptyOf(own(fields, "address"), maxUrlCharacters),
  };
  const scopes = optional(fields, "scopes", (each) => listOf(each, maxScopes, nameOf));
  const audience = optional(fields, "audience", nameOf);
  const resource = optional(fields, "resource", urlOf);
  if (own(fields, "accepted") === true) server.accepted = true;
  if (scopes !== undefined) server.scopes = scopes;
  if (audience !== undefined) server.audience = audience;
  if (resource !== undefined) server.resource = resource;
  return server;
}

function parseRegistered(value: unknown): RegisteredClient {
  const fields = asFields(value);
  const registered: RegisteredClient = {
    redirectUris: listOf(own(fields, "redirectUris"), maxRedirectUris, urlOf),
  };
  const secret = optional(fields, "secret", tokenOf);
  const secretExpiresAt = optional(fields, "secretExpiresAt", secondsOf);
  if (secret !== undefined) registered.secret = secret;
  if (secretExpiresAt !== undefined) registered.secretExpiresAt = secretExpiresAt;
  return registered;
}

function identityOf(value: unknown): string {
  return nonEmptyOf(value, maxIdentityCharacters);
}

function parseEnd(value: unknown): SignInEnd {
  if (value !== "refresh_refused" && value !== "refresh_lost") throw new Unusable();
  return value;
}

function parseFields(fields: Fields): SessionRecord {
  const authenticationMethod = own(fields, "authenticationMethod");
  if (!authenticationMethods.includes(authenticationMethod as string)) throw new Unusable();
  const signedInAt = millisecondsOf(own(fields, "signedInAt"));
  // Before the first sign-in ends, prompts are counted in a record of a provider that need not be known yet.
  const knownOf = <Value>(name: string, parse: (value: unknown) => Value): Value | "" => {
    const value = own(fields, name);
    return signedInAt === 0 && value === "" ? "" : parse(value);
  };
  const record: SessionRecord = {
    key: nonEmptyOf(own(fields, "key"), maxKeyCharacters),
    version: nonEmptyOf(own(fields, "version"), maxVersionCharacters),
    issuer: knownOf("issuer", urlOf),
    clientId: knownOf("clientId", (value) => nonEmptyOf(value, maxNameCharacters)),
    tokenEndpoint: knownOf("tokenEndpoint", urlOf),
    authenticationMethod: authenticationMethod as SessionRecord["authenticationMethod"],
    accessToken: parseAccessToken(own(fields, "accessToken")),
    signedInAt,
    renewedAt: millisecondsOf(own(fields, "renewedAt")),
  };
  const server = optional(fields, "server", parseServer);
  const registered = optional(fields, "registered", parseRegistered);
  const userinfoEndpoint = optional(fields, "userinfoEndpoint", urlOf);
  const revocationEndpoint = optional(fields, "revocationEndpoint", urlOf);
  const endSessionEndpoint = optional(fields, "endSessionEndpoint", urlOf);
  const trustedRoots = optional(fields, "trustedRoots", identityOf);
  const refreshToken = optional(fields, "refreshToken", tokenOf);
  const idToken = optional(fields, "idToken", bearerOf);
  const subject = optional(fields, "subject", nameOf);
  const displayName = optional(fields, "displayName", nameOf);
  const acr = optional(fields, "acr", nameOf);
  const authTime = optional(fields, "authTime", secondsOf);
  const otherAccessTokens = optional(fields, "otherAccessTokens", (value) =>
    listOf(value, maxOtherAccessTokens, parseOtherAccessToken).flat(),
  );
  const renewedOn = optional(fields, "renewedOn", identityOf);
  const intent = optional(fields, "intent", parseIntent);
  const ended = optional(fields, "ended", parseEnd);
  const unansweredPrompts = optional(fields, "unansweredPrompts", (value) =>
    listOf(value, maxPrompts, millisecondsOf),
  );
  if (server !== undefined) record.server = server;
  if (registered !== undefined) record.registered = registered;
  if (userinfoEndpoint !== undefined) record.userinfoEndpoint = userinfoEndpoint;
  if (revocationEndpoint !== undefined) record.revocationEndpoint = revocationEndpoint;
  if (endSessionEndpoint !== undefined) record.endSessionEndpoint = endSessionEndpoint;
  if (trustedRoots !== undefined) record.trustedRoots = trustedRoots;
  if (refreshToken !== undefined) record.refreshToken = refreshToken;
  if (idToken !== undefined) record.idToken = idToken;
  if (subject !== undefined) record.subject = subject;
  if (displayName !== undefined) record.displayName = displayName;
  if (acr !== undefined) record.acr = acr;
  if (authTime !== undefined) record.authTime = authTime;
  if (otherAccessTokens !== undefined) record.otherAccessTokens = otherAccessTokens;
  if (renewedOn !== undefined) record.renewedOn = renewedOn;
  if (intent !== undefined) record.intent = intent;
  if (ended !== undefined) record.ended = ended;
  if (unansweredPrompts !== undefined) record.unansweredPrompts = unansweredPrompts;
  return record;
}

/**
 * A record made from untrusted data, or undefined where a field is missing or invalid, or where it does not agree
 * with its own key (C16).
 */
export function parseRecord(value: unknown): SessionRecord | undefined {
  try {
    const record = parseFields(asFields(value));
    return agreesWithKey(record) ? record : undefined;
  } catch (error) {
    if (error instanceof Unusable) return undefined;
    throw error;
  }
}

/** Bytes within which a cache file shows to be one of Latchkey's. */
export const telltaleBytes = 64;

/** Whether a text begins as every cache file does, whatever of the rest was damaged. */
export function beginsAsOurs(text: string): boolean {
  return /^\s{0,20}\{\s{0,20}"latchkey"/.test(text);
}

/** A cache file's text made into records by `decode`, which gives undefined for a damaged one. Never throws. */
export function parseCacheFile<Decoded>(
  text: string,
  decode: (written: unknown) => Decoded | undefined,
): ParsedCacheFile<Decoded> {
  const damaged = (why: string, isOurs = beginsAsOurs(text)): ParsedCacheFile<Decoded> => ({
    state: "damaged",
    why,
    isOurs,
  });
  // Nothing is lost with it, and a crash may have left it.
  if (text === "") return damaged("it is empty", true);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which holds tokens.
    return damaged("it is not JSON");
  }
  if (typeof file !== "object" || file === null || Array.isArray(file)) {
    return damaged("it is no cache file");
  }
  const schema = own(file as Fields, "latchkey");
  if (typeof schema !== "number" || !Number.isInteger(schema) || schema < schemaVersion) {
    return damaged("it names no schema that is known", schema !== undefined);
  }
  if (schema > schemaVersion) return { state: "newer" };
  const values = own(file as Fields, "records");
  if (!Array.isArray(values)) return damaged("it holds no list of records");
  const records: Decoded[] = [];
  const others: unknown[] = [];
  for (const value of values as unknown[]) {
    const record = decode(value);
    if (record === undefined) others.push(value);
    else records.push(record);
  }
  if (records.length === 0 && others.length > 0) {
    return damaged("its records have missing or invalid fields", true);
  }
  return { state: "records", records, damaged: others };
}

/** Records, or what is left of damaged ones, as the text of a cache file. */
export function formatCacheFile(records: readonly unknown[]): string {
  const file: { [Member in keyof CacheFile]: unknown } = { latchkey: schemaVersion, records };
  return `${JSON.stringify(file)}\n`;
}
