// Changes with where a proof key is sent.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { systemClock } from "../core/clock.ts";
import type { HttpRequest } from "../http/exchange.ts";
import { noKeys } from "../keys/key-source.ts";
import { requestDeviceAuthorization } from "./device-authorization.ts";
import type { Provider, ProviderWorld } from "./provider-types.ts";

const issuer = "https://id.example.com";
const signal = new AbortController().signal;
const metadata = {
  issuer,
  source: "oauth",
  tokenEndpoint: `${issuer}/token`,
  deviceAuthorizationEndpoint: `${issuer}/device`,
  issParameterSupported: false,
  pushedAuthorizationRequired: false,
} as const;
const answer = {
  device_code: "d",
  user_code: "WDJB-MJHT",
  verification_uri: `${issuer}/device`,
  expires_in: 600,
  error: undefined as string | undefined,
};

/** The forms of a request for a code and of two polls. */
async function formsOf(pkce: boolean): Promise<URLSearchParams[]> {
  const forms: URLSearchParams[] = [];
  const send = async ({ form = new URLSearchParams(), url }: HttpRequest) => {
    forms.push(form);
    const body = url.endsWith("/token") ? { error: "authorization_pending" } : answer;
    return {
      status: 200,
      headers: { "content-type": "application/json" },
      body: new TextEncoder().encode(JSON.stringify(body)),
      url,
    };
  };
  const world = {
    http: { send },
    clock: systemClock,
    randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
  } as unknown as ProviderWorld;
  const options = { issuer, clientId: "cli", allowInsecureHttp: false, flow: "device" } as const;
  const provider = { metadata, options, keys: noKeys } as unknown as Provider;
  const input = { clientId: "cli", scopes: ["a"], offlineAccess: false, pkce };
  const authorization = await requestDeviceAuthorization(world, provider, input, signal);
  await authorization.poll(signal);
  await authorization.poll(signal);
  return forms;
}

test("in the device flow the challenge goes out with the request, the verifier with each poll", async () => {
  const [asked, ...polls] = await formsOf(true);
  const [verifier = "", again] = polls.map((form) => form.get("code_verifier"));
  expect(verifier).toMatch(/^[\w-]{43}$/);
  expect(again).toBe(verifier);
  expect(asked?.get("code_challenge_method")).toBe("S256");
  expect(asked?.get("code_challenge")).toBe(
    createHash("sha256").update(String(verifier)).digest("base64url"),
  );
  const [other] = (await formsOf(true)).slice(1).map((form) => form.get("code_verifier"));
  expect(other).not.toBe(verifier);
});

test("without `pkce` no such parameter is sent", async () => {
  const names = (await formsOf(false)).flatMap((form) => [...form.keys()]);
  expect(names.filter((name) => name.startsWith("code_"))).toEqual([]);
});
