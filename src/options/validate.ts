// Is this value possible for this option? One rule for each kind. Changes when a kind's rule does.

import { OidcError } from "../core/errors.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import { ownParameters } from "../core/own-parameters.ts";
import type { OptionName } from "../core/option-names.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { wordsOfKind, type OptionKind, type OptionRow } from "./row.ts";

/** What all rules may need to know besides the value. */
export interface ValidationContext {
  readonly allowInsecureHttp: boolean;
}

type Rule = (value: unknown, context: ValidationContext) => Verdict;
/** The accepted value, or what is wrong with it. */
type Verdict = { value: unknown } | { wrong: string } | { insecure: string } | { taken: string };

// RFC 6749 appendix A: no parameter of the protocol holds a control character (N11).
const controlCharacter = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u;
// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
const maxText = 4096;
// setTimeout's own bound, 2^31 - 1 milliseconds, in whole seconds.
const maxSeconds = 2_147_483;

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  if (value === "") return "an empty string";
  const kind = typeof value;
  return kind === "object" || kind === "undefined" ? `an ${kind}` : `a ${kind}`;
}

function isText(value: unknown): value is string {
  return (
    typeof value === "string" &&
    value.length > 0 &&
    value.length <= maxText &&
    !controlCharacter.test(value)
  );
}

function webAddress(value: unknown, context: ValidationContext, query: boolean): Verdict {
  if (!isText(value) || value.length > maxUrlCharacters || !URL.canParse(value)) {
    return { wrong: "an absolute URL, such as https://id.example.com" };
  }
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:") return { wrong: "an https: URL" };
  if (value.trim() !== value || /\s/.test(value)) return { wrong: "a URL without spaces" };
  if (url.username || url.password) return { wrong: "a URL without user name and password" };
  if (value.includes("#")) return { wrong: "a URL without a fragment (#)" };
  if (!query && value.includes("?")) return { wrong: "a URL without a query (?)" };
  if (url.protocol === "http:" && !isLoopbackHost(url.hostname) && !context.allowInsecureHttp) {
    return { insecure: url.host };
  }
  return { value };
}

function seconds(value: unknown): Verdict {
  return typeof value === "number" && value > 0 && value <= maxSeconds
    ? { value }
    : { wrong: `a number of seconds above 0, at most ${String(maxSeconds)}` };
}

// OpenID Connect Core section 3.1.2.1: seconds as an integer, and "max_age=0" means a new authentication.
function age(value: unknown): Verdict {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxSeconds
    ? { value }
    : { wrong: `a whole number of seconds from 0 to ${String(maxSeconds)}` };
}

function count(value: unknown): Verdict {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1000
    ? { value }
    : { wrong: "a whole number from 1 to 1000" };
}

// RFC 8707 section 2: "an absolute URI, as specified by Section 4.3 of [RFC3986]", which "MUST NOT include a fragment
// component"; RFC 3986 has ASCII alone.
function isResource(value: unknown): value is string {
  return (
    isText(value) &&
    value.length <= maxUrlCharacters &&
    /^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$/.test(value) &&
    !value.includes("#") &&
    URL.canParse(value)
  );
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535;
}

/** Loopback alone may be spoken to without TLS: whoever answers for a server says where a person signs in. */
function serverAddress(value: unknown): Verdict {
  const [scheme = ""] = isText(value) ? (/^grpcs?:/i.exec(value) ?? []) : [];
  if (scheme === "") return webAddress(value, { allowInsecureHttp: false }, false);
  // Of its own schemes alone the parser reads a host as one.
  const known = scheme.toLowerCase() === "grpcs:" ? "https:" : "http:";
  const verdict = webAddress(
    `${known}${String(value).slice(scheme.length)}`,
    { allowInsecureHttp: false },
    false,
  );
  if (!("value" in verdict)) return verdict;
  return new URL(String(verdict.value)).pathname === "/"
    ? { value }
    : { wrong: "a gRPC address of a host and a port alone, such as grpcs://data.example.com:443" };
}

function serverObject(value: object): Verdict {
  const { getOidcIssuer, address } = value as Readonly<Record<string, unknown>>;
  return typeof getOidcIssuer === "function" && (address === undefined || isText(address))
    ? { value }
    : { wrong: "an address, or an object with the method getOidcIssuer" };
}

function text(accepted: string): Rule {
  return (value) => (isText(value) ? { value } : { wrong: accepted });
}

function oneOf(values: readonly string[]): Rule {
  return (value) =>
    typeof value === "string" && values.includes(value)
      ? { value }
      : { wrong: values.map((each) => JSON.stringify(each)).join(" or ") };
}

const promptValues: ReadonlySet<string> = new Set(wordsOfKind.prompt);

const rules: Readonly<Record<OptionKind, Rule>> = {
  issuer: (value, context) => (value === "" ? { value } : webAddress(value, context, false)),
  endpoint: (value, context) => webAddress(value, context, true),
  redirectUri: (value, context) => webAddress(value, context, true),
  text: text("a non-empty string without control characters"),
  secret: (value) =>
    value === "" || isText(value)
      ? { value }
      : { wrong: "a string without control characters, which may be empty" },
  path: text("a path: a non-empty string without control characters"),
  command: text("a command: a non-empty string without control characters"),
  host: (value) =>
    isText(value) && /^(?:[A-Za-z0-9._-]+|\[?[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]?)$/.test(value)
      ? { value }
      : { wrong: 'a host name or address such as "127.0.0.1" or "::1"' },
  flow: oneOf(wordsOfKind.flow),
  responseMode: oneOf(wordsOfKind.responseMode),
  trust: oneOf(wordsOfKind.trust),
  registration: oneOf(wordsOfKind.registration),
  storage: oneOf(wordsOfKind.storage),
  server: (value) =>
    typeof value === "object" && value !== null ? serverObject(value) : serverAddress(value),
  prompt: (value) =>
    isText(value) && value.split(" ").every((each) => promptValues.has(each))
      ? { value }
      : { wrong: [...promptValues].map((each) => JSON.stringify(each)).join(", ") },
  boolean: (value) => (typeof value === "boolean" ? { value } : { wrong: "true or false" }),
  seconds,
  age,
  count,
  port: (value) => {
    if (isPort(value)) return { value };
    if (Array.isArray(value) && value.length > 0 && value.length <= 100 && value.every(isPort)) {
      return { value: Object.freeze([...value]) };
    }
    return { wrong: "a port from 0 to 65535, or a list of such" };
  },
  scopes: (value) =>
    Array.isArray(value) &&
    value.length <= 200 &&
    value.every((each) => typeof each === "string" && scopeToken.test(each) && each.length <= 500)
      ? { value: Object.freeze([...(value as string[])]) }
      : { wrong: 'an array of scopes such as ["openid", "email"], each without spaces' },
  resources: (value) => {
    if (isResource(value)) return { value };
    if (Array.isArray(value) && value.length > 0 && value.length <= 20 && value.every(isResource)) {
      return { value: Object.freeze([...value]) };
    }
    return { wrong: "an absolute URI without a fragment (#), or an array of such" };
  },
  acrValues: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= 20 &&
    value.every((each) => isText(each) && !/\s/.test(each) && each.length <= 500)
      ? { value: Object.freeze([...(value as string[])]) }
      : { wrong: "an array of authentication context classes, each without spaces" },
  parameters: (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { wrong: "an object of strings" };
    }
    const entries = Object.entries(value);
    const taken = entries.find(([name]) => ownParameters.has(name));
    if (taken) return { taken: taken[0] };
    return entries.length <= 50 &&
      entries.every(
        ([name, each]) => isText(name) && typeof each === "string" && (each === "" || isText(each)),
      )
      ? { value: Object.freeze(Object.fromEntries(entries)) }
      : { wrong: "an object of strings without control characters" };
  },
  store: (value) =>
    typeof value === "object" &&
    value !== null &&
    ["read", "replace", "acquire", "list"].every(
      (method) => typeof (value as Record<string, unknown>)[method] === "function",
    )
      ? { value }
      : { wrong: "a TokenStore: an object with read, replace, acquire and list" },
  function: (value) => (typeof value === "function" ? { value } : { wrong: "a function" }),
};

/** `invalid_option`, with the value's kind and nothing of its content. */
export function refusal(called: string | Wording, value: unknown, accepted: string): OidcError {
  return new OidcError(
    "invalid_option",
    say`${called} does not accept ${kindOf(value)}${typeof value === "string" && value !== "" ? " like this" : ""}.`,
    { remedy: `Accepted: ${accepted}.` },
  );
}

// An empty client id means "the server says which", as on the reference page.
function isUnset(row: OptionRow, value: unknown): boolean {
  return row.default === "" && value === "";
}

/**
 * The value as it is used, frozen where it is an array or an object.
 * @param called what to call the option in an error, where it was set under another name.
 * @throws {OidcError} `invalid_option` naming the option, the value's kind and what is accepted; `insecure_url`.
 */
export function validateOption(
  row: OptionRow,
  value: unknown,
  context: ValidationContext,
  called: string | Wording = [option(row.name as OptionName)],
): unknown {
  if (isUnset(row, value)) return value;
  const verdict = rules[row.kind](value, context);
  if ("value" in verdict) return verdict.value;
  if ("insecure" in verdict && row.kind === "server") {
    // No option allows it: whoever answers says where a person signs in.
    throw new OidcError(
      "insecure_url",
      say`${called} is an address of ${verdict.insecure} without TLS: anybody on the way could answer in its place.`,
      { remedy: "Use https: or grpcs:. Only a server on this machine can be reached without TLS." },
    );
  }
  if ("insecure" in verdict) {
    throw new OidcError(
      "insecure_url",
      say`${called} is an http: address of ${verdict.insecure}: everybody on the way could read the tokens.`,
      {
        remedy: say`Use https:. For a test network without it, set ${option("allowInsecureHttp")}.`,
      },
    );
  }
  if ("taken" in verdict) {
    throw new OidcError(
      "invalid_option",
      say`${called} cannot set \`${verdict.taken}\`: a sign-in sets it itself.`,
      { remedy: "Use the option that is made for it, if there is one." },
    );
  }
  throw refusal(called, value, verdict.wrong);
}
