// Reads the answer of the device authorization endpoint: validated, bounded, clamped.

import { isOidcError, OidcError, type Reason } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import {
  maxDeviceCodeSeconds,
  maxPollIntervalSeconds,
  maxTokenCharacters,
  maxUrlCharacters,
  maxUserCodeCharacters,
  shortestPollIntervalSeconds,
  usualPollIntervalSeconds,
} from "../core/limits.ts";
import { Secret } from "../core/secret.ts";

/** The step's name in messages. */
export const deviceStep = "device authorization";

/** The members of a device authorization answer. */
export interface DeviceMembers {
  readonly deviceCode: Secret;
  readonly userCode: string;
  readonly verificationUri: string;
  readonly verificationUriComplete: string | undefined;
  /** At most 1800. */
  readonly expiresInSeconds: number;
  /** Between 1 and 60; 5 where the provider names none. */
  readonly intervalSeconds: number;
}

/** What the members are read against. */
export interface DeviceAnswerFacts {
  readonly host: string;
  /** Whether `http:` may go beyond loopback. */
  readonly allowInsecureHttp: boolean;
}

// RFC 6749 appendix A: VSCHAR.
const visible = /^[\x20-\x7e]+$/;
// A code is typed by a person. Anything beyond printable ASCII could steer a terminal, or pass for another code.
const typeable = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
// `new URL` drops tabs and line breaks without a word; an address that has them is not the one that would be shown.
const addressCharacters = /^[\x21-\x7e\u00a1-\ud7ff\ue000-\ufefe]+$/u;

// The draft of the RFC said `verification_url`, and a large provider still does.
type VerificationMember = "verification_uri" | "verification_url";

function invalid(host: string, reason: Reason<"token_response_invalid">, what: string): OidcError {
  return new OidcError(
    "token_response_invalid",
    `${host} answered with ${what} (${deviceStep}). No code was shown.`,
    { reason, remedy: "Ask the provider's administrator." },
  );
}

function parseDeviceCode(value: unknown, host: string): Secret {
  if (typeof value === "string" && value.length > maxTokenCharacters) {
    throw invalid(
      host,
      "device_code",
      `a device code longer than ${maxTokenCharacters} characters`,
    );
  }
  if (typeof value !== "string" || !visible.test(value)) {
    throw invalid(host, "device_code", "no usable device code");
  }
  return new Secret(value);
}

function parseUserCode(value: unknown, host: string): string {
  const code = typeof value === "string" ? value.trim() : "";
  if (code.length > maxUserCodeCharacters) {
    throw invalid(host, "user_code", `a user code longer than ${maxUserCodeCharacters} characters`);
  }
  if (!typeable.test(code)) {
    throw invalid(host, "user_code", "no user code that a person could type");
  }
  return code;
}

/** `https:`, or `http:` on this machine: anything else is neither shown nor opened (V05). */
function parseVerificationUri(
  value: unknown,
  member: VerificationMember,
  facts: DeviceAnswerFacts,
): string {
  const { host } = facts;
  if (typeof value === "string" && value.length > maxUrlCharacters) {
    throw invalid(host, member, `a ${member} longer than ${maxUrlCharacters} characters`);
  }
  if (typeof value !== "string" || !addressCharacters.test(value)) {
    throw invalid(host, member, `no usable ${member}`);
  }
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const isAllowed =
    url?.protocol === "https:" ||
    (url?.protocol === "http:" && (facts.allowInsecureHttp || isLoopbackHost(url.hostname)));
  if (url === undefined || !isAllowed || url.username !== "" || url.password !== "") {
    throw new OidcError(
      "endpoint_invalid",
      `${host} wants the person to visit an address that is not an https: one (${deviceStep}: ${member}). It is neither shown nor opened.`,
      { reason: member, remedy: "Ask the provider's administrator." },
    );
  }
  return url.href;
}

/** The address with the code in it. It is only a convenience: one that is unfit is as good as none (RFC 8628 section 3.2). */
function parseCompleteUri(
  value: unknown,
  member: VerificationMember,
  facts: DeviceAnswerFacts,
): string | undefined {
  try {
    return parseVerificationUri(value, member, facts);
  } catch (error) {
    if (isOidcError(error)) return undefined;
    throw error;
  }
}

/** A number of seconds, or a numeric string, which some providers send; undefined for anything else. */
function secondsOf(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && !Number.isNaN(number) ? number : undefined;
}

/**
 * The interval that a provider asks for, within reason; undefined where it asks for none.
 * @see RFC 8628 section 3.2: "If no value is provided, clients MUST use 5 as the default."
 */
export function parseInterval(value: unknown): number | undefined {
  const seconds = secondsOf(value);
  if (seconds === undefined || seconds <= 0) return undefined;
  return Math.min(Math.max(seconds, shortestPollIntervalSeconds), maxPollIntervalSeconds);
}

/**
 * Reads a successful device authorization answer.
 * @throws {OidcError} `token_response_invalid` and `endpoint_invalid`, the member's name as `reason`.
 * @see RFC 8628 section 3.2
 */
export function parseDeviceMembers(
  body: Readonly<Record<string, unknown>>,
  facts: DeviceAnswerFacts,
): DeviceMembers {
  const { host } = facts;
  const expiresIn = secondsOf(body["expires_in"]);
  if (expiresIn === undefined || expiresIn < 1) {
    throw invalid(host, "expires_in", "a device code without a lifetime");
  }
  const member = "verification_uri" in body ? "verification_uri" : "verification_url";
  return {
    deviceCode: parseDeviceCode(body["device_code"], host),
    userCode: parseUserCode(body["user_code"], host),
    verificationUri: parseVerificationUri(body[member], member, facts),
    verificationUriComplete: parseCompleteUri(body[`${member}_complete`], member, facts),
    expiresInSeconds: Math.min(Math.floor(expiresIn), maxDeviceCodeSeconds),
    intervalSeconds: parseInterval(body["interval"]) ?? usualPollIntervalSeconds,
  };
}
