// A cached sign-in for a warm start: a part of what record/parse, record/fresh and session/cache-match accept, nothing
// beyond it. Changes when one of those does. Tests hold it against them.

import type { SessionRecord } from "../../record/format.ts";
import { schemaVersion } from "../../record/format.ts";
import { isBearerToken } from "../../core/bearer-token.ts";
import { clockToleranceSeconds, maxInstantSeconds, maxLifetimeSeconds } from "../../core/limits.ts";

/** When something came and when it ends, in seconds since the epoch. */
interface Times {
  readonly issuedAt: number;
  readonly expiresAt: number | null;
}

const required = ["version", "issuer", "clientId", "tokenEndpoint"];
const optional = [
  "userinfoEndpoint",
  "revocationEndpoint",
  "endSessionEndpoint",
  "refreshToken",
  "idToken",
  "subject",
  "displayName",
  "renewedOn",
];
// Seldom there beside a token that is good: left to the full reader.
const unusual = ["intent", "ended", "unansweredPrompts"];
const maxToken = 100_000;
const methods = ["none", "client_secret_basic", "client_secret_post"];

function isText(value: unknown, longest = 200): boolean {
  return typeof value === "string" && value !== "" && value.length <= longest;
}

function isInstant(value: unknown, unitsInSecond = 1): boolean {
  return typeof value === "number" && value >= 0 && value <= maxInstantSeconds * unitsInSecond;
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length <= 200 && value.every((each) => isText(each));
}

/** The server that a sign-in is for; what it said is for a renewal alone. */
function isServer(value: unknown): boolean {
  if (value === undefined) return true;
  const { address, scopes, audience, resource } = value as Record<string, unknown>;
  return (
    isText(address) &&
    (scopes === undefined || isTexts(scopes)) &&
    [audience, resource].every((each) => each === undefined || isText(each))
  );
}

/** The one record of a file, where every field is as usual and it is filed under `key`. */
export function warmRecord(file: string, key: string): SessionRecord | undefined {
  // Of all escapes only the quotes in the key: no string can then hold a control character, which is judged there.
  if (/\\[^"]|\x7f/.test(file)) return undefined;
  const { latchkey, records } = JSON.parse(file) as {
    latchkey: unknown;
    records: Record<string, unknown>[];
  };
  const [record] = records;
  const isIt = latchkey === schemaVersion && records.length === 1 && record?.["key"] === key;
  if (!isIt) return undefined;
  const access = record["accessToken"] as Record<string, unknown> | null;
  const isUsual =
    required.every((name) => isText(record[name])) &&
    optional.every((name) => {
      const value = record[name];
      return value === undefined || isText(value, name.endsWith("Token") ? maxToken : 200);
    }) &&
    unusual.every((name) => record[name] === undefined) &&
    methods.includes(String(record["authenticationMethod"])) &&
    (record["idToken"] === undefined || isBearerToken(record["idToken"])) &&
    isInstant(record["signedInAt"], 1000) &&
    isInstant(record["renewedAt"], 1000) &&
    access?.["tokenType"] === "Bearer" &&
    isBearerToken(access["token"]) &&
    isInstant(access["issuedAt"]) &&
    (access["expiresAt"] === null || isInstant(access["expiresAt"])) &&
    isTexts(access["scopes"]) &&
    isServer(record["server"]);
  return isUsual ? (record as unknown as SessionRecord) : undefined;
}

/** Whether a token is good for so long. */
export function isFreshEnough(
  times: Times,
  minValiditySeconds: number,
  nowSeconds: number,
): boolean {
  const { issuedAt, expiresAt } = times;
  if (expiresAt === null) return true;
  if (issuedAt > nowSeconds + clockToleranceSeconds) return false;
  const lifetime = expiresAt - issuedAt;
  const left = expiresAt - nowSeconds;
  return lifetime <= minValiditySeconds
    ? left > lifetime / 2
    : left > 0 && left >= minValiditySeconds;
}

/** `iat` and `exp` of a stored ID token. */
export function warmTimes(idToken: string | undefined): Times | undefined {
  const claims = JSON.parse(Buffer.from(idToken?.split(".")[1] ?? "", "base64url").toString()) as {
    iat?: unknown;
    exp?: unknown;
  };
  const { iat, exp } = claims;
  return isInstant(iat) && typeof exp === "number" && exp >= 0
    ? { issuedAt: Number(iat), expiresAt: Math.min(exp, Number(iat) + maxLifetimeSeconds) }
    : undefined;
}
