// Asks an https server which provider to use: its protected resource metadata (RFC 9728), with our own members in it.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import { shownAddress } from "../core/server-words.ts";
import type { Warn } from "../core/warning.ts";
import { option, say } from "../core/wording.ts";
import { serverSteps } from "../core/server-steps.ts";
import type { HttpAnswer, HttpClient } from "../http/exchange.ts";
import { readJsonObject } from "../http/json-body.ts";
import { checkedConfig } from "./checked-config.ts";
import type { ServerConfig, ServerConfigSource } from "./server-config.ts";

/** What the operation is called in messages. */
const step = serverSteps.configuration;
const wellKnown = "/.well-known/oauth-protected-resource";

/** Where a document may be, and what its member `resource` has to be there. */
export interface ResourceMetadataForm {
  readonly url: string;
  readonly resource: string;
  /** Another value of it that counts as well. */
  readonly orResource?: string;
}

/** What decides beside the document itself. */
export interface ResourceReading {
  readonly signal: AbortSignal | undefined;
  /**
   * Which of several issuers counts: one that the caller set or that was accepted before. Undefined: none of them, for
   * nobody hops from one provider to the next (D13).
   */
  readonly preferredIssuer: () => Promise<string | undefined>;
  /** Told of what it says and may not (D15). Default: nobody. */
  readonly warn?: Warn | undefined;
}

type Document = Readonly<Record<string, unknown>>;

function failed(
  reason: "not_found" | "server_error" | "malformed" | "several_issuers",
  host: string,
  what: string,
): OidcError {
  const several = say`Set ${option("issuer")} to the one that is yours.`;
  return new OidcError("server_config_failed", `${host} ${what} (${step}).`, {
    reason,
    remedy:
      reason === "several_issuers"
        ? several
        : say`Check ${option("server")}, ask whoever runs the server, or set ${option("issuer")}, ${option("clientId")} and ${option("scopes")}.`,
  });
}

/** An address as it is compared: the slash of an otherwise empty path means nothing (RFC 3986 section 6.2.3). */
function comparable(address: string): string {
  if (!address.endsWith("/") || !URL.canParse(address)) return address;
  const { pathname, search, hash } = new URL(address);
  return pathname === "/" && search === "" && hash === "" ? address.slice(0, -1) : address;
}

/**
 * The addresses of a server's document, in the order in which they are tried: the form of RFC 9728, the one that some
 * servers have in its place, and the root's, which speaks for the origin alone.
 * @see RFC 9728 section 3.1
 */
export function resourceMetadataForms(server: string): readonly ResourceMetadataForm[] {
  const { origin, pathname } = new URL(server);
  const path = pathname === "/" ? "" : pathname;
  const root = { url: `${origin}${wellKnown}`, resource: origin };
  if (path === "") return [{ ...root, resource: server }];
  const below = path.endsWith("/") ? path.slice(0, -1) : path;
  return [
    { url: `${origin}${wellKnown}${path}`, resource: server },
    { url: `${origin}${below}${wellKnown}`, resource: server },
    root,
  ];
}

/**
 * The document that a refusal names (RFC 9728 section 5.1): about the very address that was asked or, at the place of
 * the root's document, about the origin.
 * @throws {OidcError} `server_config_failed` where it is elsewhere: whoever answers for one origin speaks for no other
 * (D12).
 */
export function challengedMetadataForm(address: string, server: string): ResourceMetadataForm {
  const { origin } = new URL(server);
  const host = hostAndPort(server);
  const url = address.length <= maxUrlCharacters ? URL.parse(address) : null;
  if (url === null || url.origin !== origin || url.username !== "" || url.password !== "") {
    const elsewhere =
      url === null ? "at an address that is not a URL" : `at ${shownAddress(url.origin)}`;
    throw failed(
      "malformed",
      host,
      `names its metadata ${elsewhere}, which is not a part of it, so nothing was read there`,
    );
  }
  url.hash = "";
  const form = { url: url.href, resource: server };
  return url.href === `${origin}${wellKnown}` ? { ...form, orResource: origin } : form;
}

/** Undefined where there is none at this address. @throws {OidcError} where no other address may be tried. */
function documentIn(answer: HttpAnswer): Document | undefined {
  const host = hostAndPort(answer.url);
  if (answer.status >= 500) {
    throw failed("server_error", host, `could not answer: status ${answer.status}`);
  }
  if (answer.status !== 200) return undefined;
  const body = readJsonObject(answer);
  // Many servers answer any address with a page.
  if (!body.ok) return undefined;
  return body.value;
}

function assertResource(
  document: Document,
  { resource, orResource = resource }: ResourceMetadataForm,
  host: string,
): string {
  const named = document["resource"];
  const isText = typeof named === "string" && named.length <= maxUrlCharacters;
  // RFC 9728 section 3.3: "If these values are not identical, the data contained in the response MUST NOT be used."
  const isOurs = (text: string): boolean =>
    [resource, orResource].some((each) => comparable(each) === comparable(text));
  if (isText && isOurs(named)) return named;
  const about = isText ? `about ${shownAddress(named)}` : "about no resource that it names";
  throw new OidcError(
    "resource_mismatch",
    `What ${host} says is ${about}, and not about ${shownAddress(resource)} (${step}), so it was not used.`,
    {
      remedy: say`Set ${option("server")} to the address that the server calls its own, if it is the same server; else ask whoever runs it.`,
    },
  );
}

function textIn(document: Document, member: string, host: string): string | undefined {
  const value = document[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw failed("malformed", host, `answered with a ${member} that is no text`);
}

function wordsIn(document: Document, member: string, host: string): readonly string[] | undefined {
  const value = document[member];
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
  throw failed("malformed", host, `answered with a ${member} that is no list of texts`);
}

function scopesIn(document: Document, host: string): string | undefined {
  // As one text, which is how a scope parameter and the gRPC answer have it.
  const own = document["scopes"];
  if (typeof own === "string") return own;
  return (wordsIn(document, "scopes", host) ?? wordsIn(document, "scopes_supported", host))?.join(
    " ",
  );
}

async function issuerIn(
  document: Document,
  host: string,
  preferredIssuer: ResourceReading["preferredIssuer"],
): Promise<string> {
  const issuers = [...new Set(wordsIn(document, "authorization_servers", host))];
  const [issuer] = issuers;
  if (issuer === undefined) throw failed("not_found", host, "names no provider to sign in at");
  if (issuers.length === 1) return issuer;
  const preferred = await preferredIssuer();
  if (preferred !== undefined && issuers.includes(preferred)) return preferred;
  throw failed(
    "several_issuers",
    host,
    `names ${issuers.length} providers to sign in at: ${issuers.slice(0, 5).map(shownAddress).join(", ")}`,
  );
}

/** What a server may not decide: members that some document might carry all the same. */
const notTaken = [
  "client_secret",
  "redirect_uri",
  "authorization_endpoint",
  "token_endpoint",
  "device_authorization_endpoint",
  "jwks",
  "ca_cert",
  "command",
];

function warnOfWhatIsIgnored(document: Document, host: string, warn: Warn | undefined): void {
  const ignored = notTaken.filter((member) => document[member] !== undefined);
  if (ignored.length === 0) return;
  warn?.(
    "server_config_ignored",
    `${host} also says ${ignored.join(", ")}: a server does not decide that, so it was ignored (${step}).`,
  );
}

async function configIn(
  document: Document,
  form: ResourceMetadataForm,
  { preferredIssuer, warn }: ResourceReading,
): Promise<ServerConfig> {
  const host = hostAndPort(form.url);
  const named = assertResource(document, form, host);
  warnOfWhatIsIgnored(document, host, warn);
  const said = {
    resource: named,
    issuer: await issuerIn(document, host, preferredIssuer),
    clientId: textIn(document, "client_id", host),
    audience: textIn(document, "audience", host),
    scopes: scopesIn(document, host),
  };
  return checkedConfig(said, (what) => failed("malformed", host, what));
}

async function readOne(
  http: HttpClient,
  form: ResourceMetadataForm,
  reading: ResourceReading,
): Promise<ServerConfig | undefined> {
  // One redirect within the origin, as for a provider's document; no token, no cookie.
  const answer = await http.send({
    method: "GET",
    url: form.url,
    step,
    metadata: true,
    signal: reading.signal,
  });
  const document = documentIn(answer);
  return document && configIn(document, form, reading);
}

/**
 * What the first document says. Another form is tried only after an answer that is no document: never after a transport
 * failure, and never after a document about something else.
 * @throws {OidcError} `resource_mismatch`, `server_config_failed`, and what the transport throws.
 */
export async function readResourceMetadata(
  http: HttpClient,
  forms: readonly ResourceMetadataForm[],
  reading: ResourceReading,
): Promise<ServerConfig> {
  for (const form of forms) {
    const config = await readOne(http, form, reading);
    if (config !== undefined) return config;
  }
  const host = hostAndPort(forms[0]?.url ?? "");
  throw failed("not_found", host, "does not say which provider to sign in at");
}

/** The canonical address of a server: the key of its pin. */
export function addressOfServer(server: string): string {
  return comparable(new URL(server).href);
}

/**
 * A server that can be asked by its https address.
 * Asking rejects with `server_config_failed`, `resource_mismatch`, `network`, `timeout`, `tls`, `redirect_refused`,
 * `response_too_large`, `rate_limited`, `insecure_url`, `ca_bundle_invalid`, `aborted`.
 */
export function resourceConfigSource(
  server: string,
  http: HttpClient,
  reading: Omit<ResourceReading, "signal">,
): ServerConfigSource {
  return {
    server: addressOfServer(server),
    host: hostAndPort(server),
    ask: (signal) =>
      readResourceMetadata(http, resourceMetadataForms(server), { ...reading, signal }),
  };
}
