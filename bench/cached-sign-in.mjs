// Changes when a cached sign-in looks different: one as Latchkey writes it, for benches that start from it.
import { loadSource } from "../scripts/load-source.mjs";

const { resolveOptions } = await loadSource("src/options/resolve.ts");
const { recordKey, cacheFileName } = await loadSource("src/record/key.ts");
const { formatCacheFile } = await loadSource("src/record/parse.ts");

/** A token as long as a usual one. @param {number} length */
export const letters = (length) => "abcdefghijklmnopqrstuvwxyz012345".repeat(length / 32);

/**
 * The record of a sign-in with these options, whose access token was issued now or, where `isExpired`, has ended.
 * @param {Record<string, unknown>} options @param {{ tokenEndpoint?: string, isExpired?: boolean }} [more]
 */
export function recordFor(options, more = {}) {
  const { tokenEndpoint = "https://id.example.com/token", isExpired = false } = more;
  const issuedAt = Math.floor(Date.now() / 1000) - (isExpired ? 48 * 3600 : 0);
  return {
    key: recordKey({ kind: "interactive", options: { ...resolveOptions(options, "interactive") } }),
    version: "0123456789abcdef01234567.1",
    issuer: options["issuer"],
    clientId: options["clientId"],
    tokenEndpoint,
    authenticationMethod: "none",
    accessToken: {
      token: letters(1024),
      tokenType: "Bearer",
      scopes: ["openid", "email"],
      issuedAt,
      expiresAt: issuedAt + 24 * 3600,
    },
    refreshToken: letters(256),
    idToken: letters(1024),
    subject: "248289761001",
    signedInAt: issuedAt * 1000,
    renewedAt: issuedAt * 1000,
  };
}

/** Name and text of the cache file of a record. @param {ReturnType<typeof recordFor>} record */
export function cacheFileFor(record) {
  return { name: cacheFileName(record.key), text: formatCacheFile([record]) };
}
