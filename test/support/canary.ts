// Changes when another kind of secret can leak, or in another disguise.
import { inspect } from "node:util";
import type { IdentityProvider } from "./identity-provider.ts";

/** Every secret that went between clients and these providers, and what a test adds: secrets of files, passwords. */
export function secretsOf(
  providers: readonly IdentityProvider[],
  more: readonly string[] = [],
): readonly string[] {
  const clientSecrets = providers.flatMap(({ clients }) =>
    Object.values(clients).flatMap((client) =>
      "clientSecret" in client ? [client.clientSecret] : [],
    ),
  );
  const seen = providers.flatMap((provider) => [
    ...provider.secretsIssued(),
    ...provider.secretsReceived(),
  ]);
  return [...new Set([...seen, ...clientSecrets, ...more])];
}

/**
 * What Base64 makes of a secret inside a longer text, as in a Basic header: the three ways in which its bytes can fall
 * on the characters, without the characters that its neighbours share.
 */
function base64Forms(secret: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const first = Math.ceil((offset * 8) / 6);
    const end = Math.floor((bytes.length * 8) / 6);
    return (["base64", "base64url"] as const).map((encoding) =>
      bytes.toString(encoding).slice(first, end),
    );
  });
}

/** The forms in which a secret may stand in an output. */
function disguises(secret: string): readonly string[] {
  const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
  // A part of a signed token is a secret too, its signature above all.
  const parts = secret.split(".");
  if (parts.length === 3) forms.push(...parts.slice(1));
  return [...forms, ...base64Forms(secret)];
}

/** Shorter ones would be found by chance. */
const shortestSecret = 8;

/**
 * Fails if a text or file has a secret in it, plain, URL-encoded, in JSON or in Base64; the message tells which one by
 * its place in the list, never the secret itself.
 * @param allowed secrets that belong there: the token that a command prints, the state in an address that is shown
 */
export function expectNoSecrets(
  text: string | Uint8Array,
  secrets: readonly string[],
  allowed: readonly string[] = [],
): void {
  const haystack = typeof text === "string" ? text : Buffer.from(text).toString("latin1");
  secrets.forEach((secret, index) => {
    if (allowed.includes(secret)) return;
    if (secret.length < shortestSecret) {
      throw new Error(
        `secret ${index} is too short to be looked for; use a longer one in the test`,
      );
    }
    for (const form of disguises(secret)) {
      const found = haystack.indexOf(form);
      if (found === -1) continue;
      const before = haystack.slice(Math.max(0, found - 40), found);
      throw new Error(
        `secret ${index} of ${secrets.length} (${secret.length} characters) stands after ${inspect(before)}`,
      );
    }
  });
}
