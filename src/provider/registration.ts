// Registers a client with a provider that knows none of ours: one request, and what comes of it.

import { OidcError, sanitizeProviderText, type Reason } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { maxServerTextCharacters, maxTokenCharacters } from "../core/limits.ts";
import { Secret } from "../core/secret.ts";
import { option, say } from "../core/wording.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { readJsonObject } from "../http/json-body.ts";
import type { ClientAuthenticationMethod } from "./client-authentication.ts";
import type { ProviderMetadata, ProviderWorld } from "./provider-types.ts";
import { isServerError, refusalIn, serverFailure } from "./refusal.ts";

const step = "client registration";

/** What is registered. */
export interface RegistrationRequest {
  readonly endpoint: string;
  readonly metadata: ProviderMetadata;
  readonly clientName: string;
  readonly redirectUris: readonly string[];
  readonly signal: AbortSignal | undefined;
}

/** A client that a provider has registered. */
export interface Registration {
  readonly clientId: string;
  /** Undefined where the client proves nothing at the token endpoint, whatever the answer had in addition. */
  readonly secret: Secret | undefined;
  /** How the secret is sent; undefined: the provider did not say. */
  readonly method: ClientAuthenticationMethod | undefined;
  /** Seconds since the epoch; undefined: never. */
  readonly secretExpiresAt: number | undefined;
}

type Body = Readonly<Record<string, unknown>>;

const sendable = ["none", "client_secret_basic", "client_secret_post"] as const;
// RFC 6749 appendices A.1 and A.2: VSCHAR.
const visible = /^[\x20-\x7e]+$/;

function failed(
  host: string,
  reason: Reason<"registration_failed">,
  what: string,
  quote?: string,
): OidcError {
  return new OidcError("registration_failed", `${host} ${what} (${step}).`, {
    reason,
    remedy: say`Register a client with the provider yourself, and set ${option("clientId")} to it.`,
    quote,
    providerErrorDescription: quote,
  });
}

/** The members of a registration (RFC 7591 section 2, OpenID Connect Dynamic Client Registration section 2). */
export function registrationMembers({
  metadata,
  clientName,
  redirectUris,
}: Pick<RegistrationRequest, "metadata" | "clientName" | "redirectUris">): Body {
  const { tokenEndpointAuthenticationMethods: listed, deviceAuthorizationEndpoint } = metadata;
  const method = sendable.find((each) => listed?.includes(each) ?? true) ?? "none";
  const ofDevice =
    deviceAuthorizationEndpoint === undefined
      ? []
      : ["urn:ietf:params:oauth:grant-type:device_code"];
  return {
    client_name: clientName,
    // RFC 8252 section 8.4: without it, loopback addresses are those of a web application.
    application_type: "native",
    redirect_uris: [...redirectUris],
    response_types: ["code"],
    grant_types: ["authorization_code", "refresh_token", ...ofDevice],
    token_endpoint_auth_method: method,
  };
}

function textIn(body: Body, member: string, longest: number): string | undefined {
  const value = body[member];
  if (value === undefined || value === null || value === "") return undefined;
  const isFit = typeof value === "string" && value.length <= longest && visible.test(value);
  return isFit ? value : undefined;
}

function methodIn(body: Body, listed: readonly string[] | undefined, host: string) {
  const named = textIn(body, "token_endpoint_auth_method", maxServerTextCharacters);
  const known = sendable.find((each) => each === named);
  if (named !== undefined && known === undefined) {
    const shown = sanitizeProviderText(named);
    throw failed(
      host,
      "method_unsupported",
      `registered a client that has to prove itself by ${shown}`,
    );
  }
  const takesNone = listed?.includes("none") === true;
  const takesSecret = sendable.slice(1).some((each) => listed?.includes(each) === true);
  return known ?? (takesNone && !takesSecret ? "none" : undefined);
}

/**
 * The client in an answer.
 * @throws {OidcError} `registration_failed` with a reason, `network` where the server failed.
 * @see RFC 7591 section 3.2
 */
export function readRegistration(
  answer: HttpAnswer,
  listed: readonly string[] | undefined,
): Registration {
  const host = hostAndPort(answer.url);
  const body = readJsonObject(answer);
  const refusal = body.ok ? refusalIn(body.value, []) : undefined;
  const error = refusal?.error;
  const serverError = error !== undefined && isServerError(error) ? error : undefined;
  if (answer.status >= 500 || serverError !== undefined) {
    throw serverFailure(host, answer, step, { error: serverError, words: refusal?.description });
  }
  if (refusal !== undefined || answer.status >= 400) {
    const known = (["invalid_redirect_uri", "invalid_client_metadata"] as const).find(
      (each) => each === error,
    );
    const said = error === undefined ? `status ${answer.status}` : sanitizeProviderText(error);
    const what = `did not register a client: ${said}`;
    throw failed(host, known ?? "refused", what, refusal?.description);
  }
  const clientId = body.ok ? textIn(body.value, "client_id", maxServerTextCharacters) : undefined;
  if (!body.ok || clientId === undefined) {
    throw failed(host, "response_malformed", "answered without a client that can be used");
  }
  const method = methodIn(body.value, listed, host);
  const secret =
    method === "none" ? undefined : textIn(body.value, "client_secret", maxTokenCharacters);
  if (secret === undefined && method !== undefined && method !== "none") {
    throw failed(host, "response_malformed", "answered without the secret of the client");
  }
  const ends = body.value["client_secret_expires_at"];
  return {
    clientId,
    secret: secret === undefined ? undefined : new Secret(secret),
    method,
    // RFC 7591 section 3.2.1: 0 is never.
    secretExpiresAt: typeof ends === "number" && ends > 0 ? ends : undefined,
  };
}

/**
 * Registers a client. One request.
 * @throws {OidcError} as {@link readRegistration} does, and what the transport throws.
 * @see RFC 7591 section 3
 */
export async function registerClient(
  world: Pick<ProviderWorld, "http">,
  request: RegistrationRequest,
): Promise<Registration> {
  const { endpoint: url, signal, metadata } = request;
  const json = registrationMembers(request);
  const answer = await world.http.send({ method: "POST", url, step, json, signal });
  return readRegistration(answer, metadata.tokenEndpointAuthenticationMethods);
}
