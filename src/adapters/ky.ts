// The entry point `latchkey/ky`: `credential.fetch` for clients that hand over a `Request`, such as `ky` and
// `openapi-fetch`.

import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What {@link repeatableFetch} can be told. */
export interface RepeatableFetchSettings {
  /** Longest body that is kept to be sent again, in bytes. Default: 1 MiB. */
  readonly maxBodyBytes?: number;
}

/** The bytes of a body; undefined where they are more than that. */
async function bytesOf(request: Request, maxBytes: number): Promise<Uint8Array | undefined> {
  const reader = request.clone().body?.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    length += part.value.byteLength;
    if (length > maxBytes) {
      // It ends only when the other copy, which is about to be sent, does.
      void reader?.cancel().catch(() => undefined);
      return undefined;
    }
    parts.push(part.value);
  }
  return Buffer.concat(parts);
}

/**
 * `ky.create({ fetch: repeatableFetch(credential) })`: as `credential.fetch`, which never sends the body of a `Request`
 * twice, as it may be without an end. Here it is kept in memory, up to a bound, so that a refusal of the token is mended
 * within the same call.
 * @throws {OidcError} as {@link Credential.fetch} does.
 */
export function repeatableFetch(
  credential: Pick<Credential, "fetch">,
  { maxBodyBytes = 1_048_576 }: RepeatableFetchSettings = {},
): typeof globalThis.fetch {
  return async (input, init) => {
    const hasBody = input instanceof Request && input.body !== null;
    if (!hasBody || (init?.body ?? undefined) !== undefined) return credential.fetch(input, init);
    const body = await bytesOf(input, maxBodyBytes);
    if (body === undefined) return credential.fetch(input, init);
    const { url, method, headers, redirect, signal } = input;
    return credential.fetch(url, { method, headers, redirect, signal, ...init, body });
  };
}
