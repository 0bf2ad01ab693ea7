// The test provider's pages and what starts a sign-in: authorization and device requests. Changes when one of them does.

import { isLoopbackHost } from "../../core/hosts.ts";
import { json, type ServerAnswer, type ServerRequest } from "../http-server.ts";
import { refusedClient, type TestClient } from "./client-secret.ts";
import { randomText, type Grant, type Grants } from "./grants.ts";
import { escaped, formPage } from "./person.ts";
import type { TestPerson } from "./provider-types.ts";

/** What these endpoints know of the provider at the time of a request. */
export interface AuthorizationFacts extends TestClient {
  readonly issuer: string;
  readonly grants: Grants;
  readonly person: TestPerson;
  readonly isRefused: boolean;
}

const deviceCodeLifetimeSeconds = 600;

function page(status: number, text: string): ServerAnswer {
  const headers = { "content-type": "text/html; charset=utf-8" };
  return { status, headers, body: `<!doctype html><p>${escaped(text)}</p>` };
}

function scopesOf(parameters: URLSearchParams): readonly string[] {
  return (parameters.get("scope") ?? "").split(" ").filter((scope) => scope !== "");
}

function newGrant(
  parameters: Pick<Grant, "scopes" | "resources" | "audience">,
  person: TestPerson,
  more: Partial<Grant> = {},
): Grant {
  return {
    ...parameters,
    person,
    nonce: undefined,
    acr: undefined,
    signedInAt: Math.floor(Date.now() / 1000),
    isEnded: false,
    ...more,
  };
}

/** Any port and path of this machine are registered (RFC 8252 section 7.3). */
function isRegistered(redirectUri: string): boolean {
  if (!URL.canParse(redirectUri)) return false;
  const { protocol, hostname, hash } = new URL(redirectUri);
  return protocol === "http:" && isLoopbackHost(hostname) && hash === "";
}

/** Why an authorization request is refused, to the client; undefined: it is not. */
function refusal(query: URLSearchParams, facts: AuthorizationFacts): string | undefined {
  if (query.get("response_type") !== "code") return "unsupported_response_type";
  const challenge = query.get("code_challenge");
  if (challenge === null && facts.clientSecret === undefined) return "invalid_request";
  // Without a method it is "plain" (RFC 7636 section 4.3), which nobody may use.
  if (challenge !== null && query.get("code_challenge_method") !== "S256") return "invalid_request";
  return facts.isRefused ? "access_denied" : undefined;
}

/** Answers an authorization request: the person is signed in already. */
export function answerAuthorization(
  { query }: ServerRequest,
  facts: AuthorizationFacts,
): ServerAnswer {
  const redirectUri = query.get("redirect_uri") ?? "";
  // Nobody is sent to an address that may be anybody's (RFC 6749 section 3.1.2.4).
  if (query.get("client_id") !== facts.clientId) return page(400, "There is no such client.");
  if (!isRegistered(redirectUri)) return page(400, "The redirect URI is not on this machine.");

  const answer = new URLSearchParams();
  const error = refusal(query, facts);
  if (error === undefined) {
    const code = randomText();
    const asked = {
      scopes: scopesOf(query),
      resources: query.getAll("resource"),
      audience: query.get("audience") ?? undefined,
    };
    facts.grants.codes.set(code, {
      grant: newGrant(asked, facts.person, {
        nonce: query.get("nonce") ?? undefined,
        acr: query.get("acr_values")?.split(" ")[0],
      }),
      redirectUri,
      challenge: query.get("code_challenge") ?? undefined,
      isUsed: false,
    });
    answer.set("code", code);
  } else {
    answer.set("error", error);
  }
  const state = query.get("state");
  if (state !== null) answer.set("state", state);
  answer.set("iss", facts.issuer);

  if (query.get("response_mode") === "form_post") {
    const headers = { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
    return { status: 200, headers, body: formPage(redirectUri, answer) };
  }
  const target = new URL(redirectUri);
  for (const [name, value] of answer) target.searchParams.append(name, value);
  return { status: 303, headers: { location: target.href } };
}

/** Answers a device authorization request (RFC 8628 section 3.1). */
export function answerDevice(request: ServerRequest, facts: AuthorizationFacts): ServerAnswer {
  const refused = refusedClient(request, facts);
  if (refused !== undefined) return refused;
  const { form } = request;
  const deviceCode = randomText();
  // Letters that cannot be mistaken for one another, as section 6.1 advises.
  const userCode = Array.from(crypto.getRandomValues(new Uint8Array(8)))
    .map((byte) => "BCDFGHJKLMNPQRSTVWXZ"[byte % 20])
    .join("")
    .replace(/^(.{4})/, "$1-");
  const device = {
    scopes: scopesOf(form),
    resources: form.getAll("resource"),
    audience: form.get("audience") ?? undefined,
    challenge: form.get("code_challenge") ?? undefined,
    answer: "pending" as const,
  };
  facts.grants.devices.set(deviceCode, device);
  facts.grants.devicesByUserCode.set(userCode, device);
  const verificationUri = `${facts.issuer}/activate`;
  return json(200, {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    verification_uri_complete: `${verificationUri}?user_code=${userCode}`,
    expires_in: deviceCodeLifetimeSeconds,
    // The shortest that clients obey: nobody waits for a person here.
    interval: 1,
  });
}

/** The page on which the person enters a user code. */
export function answerActivation(
  { query }: ServerRequest,
  { grants, person, isRefused }: AuthorizationFacts,
): ServerAnswer {
  const device = grants.devicesByUserCode.get(query.get("user_code") ?? "");
  if (device === undefined) return page(404, "There is no such code.");
  device.answer = isRefused ? "refused" : newGrant(device, person);
  return page(200, isRefused ? "Refused." : "Signed in.");
}
