// Finds a provider's metadata document on the issuer's own origin.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { metadataLifetimeSeconds } from "../core/limits.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { addressToShow, hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { counted } from "../core/words.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { readJsonObject } from "../http/json-body.ts";
import { expiryOf } from "./cache-lifetime.ts";
import type { MetadataDocument } from "./metadata-document.ts";
import type { ProviderOptions, ProviderWorld } from "./provider-types.ts";
import { acceptsDiscoveredIssuer, issuerWithEnding } from "./quirks.ts";

const step = "discovery";
const defaultTimeoutSeconds = 30;

/** A discovery document whose issuer is the configured one; its endpoints are not validated yet. */
export interface DiscoveredDocument {
  readonly document: MetadataDocument;
  readonly source: "openid" | "oauth";
  /** Seconds since the epoch. */
  readonly expiresAt: number;
}

interface WellKnownForm {
  readonly source: "openid" | "oauth";
  readonly url: string;
}

/**
 * The addresses of an issuer's metadata, in the order in which they are tried: OpenID Connect's, RFC 8414's, and what
 * some servers have in their place. `namedByResource`: in MCP's order.
 * @see OpenID Connect Discovery 1.0 section 4, RFC 8414 sections 3.1 and 5, MCP 2026-07-28 authorization server discovery
 */
export function wellKnownForms(issuer: string, namedByResource = false): readonly WellKnownForm[] {
  const { origin, pathname } = new URL(issuer);
  // Discovery section 4.1: "any terminating / MUST be removed before appending /.well-known/openid-configuration".
  const path = pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
  const form = (source: WellKnownForm["source"], at: "inserted" | "appended"): WellKnownForm => {
    const name = source === "openid" ? "openid-configuration" : "oauth-authorization-server";
    const inserted = `${origin}/.well-known/${name}${path}`;
    return { source, url: at === "inserted" ? inserted : `${origin}${path}/.well-known/${name}` };
  };
  const openid = form("openid", "appended");
  const oauth = form("oauth", "inserted");
  if (path === "") return namedByResource ? [oauth, openid] : [openid, oauth];
  const others = [form("openid", "inserted"), form("oauth", "appended")] as const;
  return namedByResource
    ? [oauth, others[0], openid, others[1]]
    : [openid, oauth, others[1], others[0]];
}

function mayBeIssuer(text: string): boolean {
  if (!URL.canParse(text) || /[{}]/.test(text)) return false;
  const { protocol, hostname, search, hash } = new URL(text);
  const isSafe = protocol === "https:" || (protocol === "http:" && isLoopbackHost(hostname));
  return isSafe && search === "" && hash === "";
}

/** What to set where a document names another issuer; what cannot be set is not advised. */
function remedyOfMismatch(issuer: string, named: string, documentUrl: string): Wording {
  const better = issuerWithEnding(issuer);
  if (better !== undefined) return say`Set ${option("issuer")} to "${better}".`;
  if (/[{}]/.test(named)) {
    return say`That is a template for the issuers of many tenants: set ${option("issuer")} to the one of your own tenant.`;
  }
  if (!mayBeIssuer(named)) {
    return say`That is not an https: URL, as every issuer is, so it cannot be set. Ask the provider's administrator to correct the document.`;
  }
  const shown = sanitizeProviderText(addressToShow(named));
  return say`If you trust the provider at "${shown}", set ${option("issuer")} to exactly that, slash for slash; where no document is found there, set ${option("authorizationEndpoint")}, ${option("tokenEndpoint")} and ${option("jwksUri")} too, as ${documentUrl} names them.`;
}

/** The document of an answer, or what is wrong with it. @throws {OidcError} where no other form may be tried. */
function readDocument(answer: HttpAnswer, issuer: string): MetadataDocument | string {
  const host = hostAndPort(answer.url);
  if (answer.status >= 500) {
    throw new OidcError(
      "discovery_failed",
      `${host} could not answer (discovery: status ${answer.status}).`,
      {
        reason: "server_error",
        remedy: "Try again later; if it stays this way, ask the provider's administrator.",
      },
    );
  }
  if (answer.status !== 200) return `status ${answer.status}`;
  const body = readJsonObject(answer);
  if (!body.ok) return body.why;
  const named = body.value["issuer"];
  if (typeof named !== "string") return "JSON without an issuer";
  // Discovery section 4.3: "The issuer value returned MUST be identical to the Issuer URL that was used as the
  // prefix". Identical, not equivalent: ID tokens and `iss` parameters are compared with the same string.
  if (named !== issuer && !acceptsDiscoveredIssuer(issuer, named)) {
    const shown = sanitizeProviderText(addressToShow(named));
    throw new OidcError(
      "issuer_mismatch",
      say`The discovery document at ${host} belongs to the issuer "${shown}", but ${option("issuer")} is "${issuer}".`,
      { remedy: remedyOfMismatch(issuer, named, answer.url) },
    );
  }
  return body.value;
}

/** Runs `work` with a signal that aborts with the caller's, or with `timeout` when `seconds` are over. */
async function within<T>(
  world: Pick<ProviderWorld, "clock">,
  seconds: number,
  host: string,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const finished = new AbortController();
  const timeIsUp = new AbortController();
  const timeout = new OidcError(
    "timeout",
    `${host} gave no discovery document within ${counted(seconds, "second")} (discovery).`,
    {
      reason: "operation",
      remedy: say`Try again, or raise ${option("httpTimeoutSeconds")}.`,
    },
  );
  world.clock.sleep(seconds * 1000, { signal: finished.signal }).then(
    () => timeIsUp.abort(timeout),
    () => undefined,
  );
  try {
    const signals = outer === undefined ? [timeIsUp.signal] : [timeIsUp.signal, outer];
    return await work(AbortSignal.any(signals));
  } finally {
    finished.abort();
  }
}

/** What to set instead of an issuer without a document. */
function remedyOfIssuer(issuer: string): Wording {
  // The address that a provider's documentation shows is often the document's.
  const [start, rest] = issuer.split("/.well-known/", 2);
  return rest === undefined
    ? say`Check ${option("issuer")}, or set ${option("authorizationEndpoint")}, ${option("tokenEndpoint")} and, so that ID tokens can be verified, ${option("jwksUri")}.`
    : say`Set ${option("issuer")} to what stands before /.well-known/: "${start ?? ""}".`;
}

/**
 * Asks for the metadata document, by one form after the other. Another form is tried only after an answer that is no
 * document; never after a transport failure, because a network that drops one answer can drop them all.
 * @throws {OidcError} `discovery_failed`, `issuer_mismatch`, and what the transport throws.
 */
export function discover(
  world: Pick<ProviderWorld, "http" | "clock">,
  options: Pick<ProviderOptions, "issuer" | "httpTimeoutSeconds" | "namedByResource">,
  signal?: AbortSignal,
): Promise<DiscoveredDocument> {
  const host = hostAndPort(options.issuer);
  const seconds = options.httpTimeoutSeconds ?? defaultTimeoutSeconds;
  return within(world, seconds, host, signal, async (limited) => {
    /** Paths by what was wrong there: three times the same sentence would hide what to do. */
    const tried = new Map<string, string[]>();
    for (const form of wellKnownForms(options.issuer, options.namedByResource)) {
      const answer = await world.http.send({
        method: "GET",
        url: form.url,
        step,
        metadata: true,
        signal: limited,
      });
      const document = readDocument(answer, options.issuer);
      if (typeof document !== "string") {
        const expiresAt = expiryOf(answer.headers, metadataLifetimeSeconds, world.clock.now());
        return { document, source: form.source, expiresAt };
      }
      tried.set(document, [...(tried.get(document) ?? []), new URL(form.url).pathname]);
    }
    const found = [...tried].map(([problem, paths]) => `${problem} at ${paths.join(", ")}`);
    throw new OidcError(
      "discovery_failed",
      `${host} has no discovery document for the issuer "${options.issuer}" (${found.join("; ")}).`,
      { reason: "not_found", remedy: remedyOfIssuer(options.issuer) },
    );
  });
}
