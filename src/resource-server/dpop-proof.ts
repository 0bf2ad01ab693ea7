// What a proof of possession has to be and to say for one request (RFC 9449 section 4.3).

import { createHash } from "node:crypto";
import { maxProofAgeSeconds, maxProofCharacters } from "../core/limits.ts";
import type { Reason } from "../core/errors.ts";
import { asymmetricAlgorithms } from "../keys/algorithms.ts";
import { isInstant } from "../keys/claim-forms.ts";
import { claimsOf, parseCompactToken } from "../keys/compact-token.ts";
import { parseKeySet, type PublicKey } from "../keys/public-key.ts";
import { isSignedBy } from "../keys/signature.ts";
import { thumbprintOf } from "../keys/thumbprint.ts";
import type { ProofMemory } from "./proof-memory.ts";
import type { ProofNonces } from "./proof-nonces.ts";

/** What a proof is held against. */
export interface ProofDemands {
  readonly token: string;
  /** The thumbprint of the key that the token is bound to. */
  readonly jkt: string;
  readonly method: string | undefined;
  /** The whole URL of the request; undefined where it is not known. */
  readonly url: string | undefined;
  readonly nowSeconds: number;
  readonly clockToleranceSeconds: number;
  readonly nonces: ProofNonces | undefined;
  readonly memory: ProofMemory;
}

/** Why a proof is not accepted. */
export type ProofProblem = Extract<Reason<"invalid_token">, `proof_${string}`> | "memory_full";

// RFC 7518 sections 6.2.2 and 6.3.2, RFC 8037 section 2, and the key of a shared secret.
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const maxIdCharacters = 1024;

/** The public key in a proof's header; undefined for anything that is not one, a private key included. */
function publicKeyIn(jwk: unknown): PublicKey | undefined {
  if (typeof jwk !== "object" || jwk === null) return undefined;
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return undefined;
  return parseKeySet({ keys: [jwk] })?.[0];
}

/** `%7e` and `~` are the same, and so are `%2f` and `%2F` (RFC 3986 section 6.2.2). */
function normalPath(path: string): string {
  return path.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase();
  });
}

/** RFC 9449 section 4.3 (9): "ignoring any query and fragment parts". */
function normalUrl(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.username !== "" || parsed.password !== "") return undefined;
  return `${parsed.protocol}//${parsed.host}${normalPath(parsed.pathname)}`;
}

function isAboutRequest(htm: unknown, htu: unknown, { method, url }: ProofDemands): boolean {
  if (method === undefined || url === undefined || htm !== method) return false;
  const expected = normalUrl(url);
  return typeof htu === "string" && expected !== undefined && normalUrl(htu) === expected;
}

/**
 * What is wrong with the proof of a request; undefined: nothing, and from now on it is used.
 * @see RFC 9449 section 4.3
 */
export function proofProblem(proof: string, demands: ProofDemands): ProofProblem | undefined {
  const { token, jkt, nowSeconds, clockToleranceSeconds, nonces, memory } = demands;
  if (proof.length > maxProofCharacters) return "proof_malformed";
  const parsed = parseCompactToken(proof);
  const claims = parsed && claimsOf(parsed);
  if (parsed === undefined || claims === undefined) return "proof_malformed";
  const { typ, jwk } = parsed.header;
  if (typeof typ !== "string" || typ.toLowerCase() !== "dpop+jwt") return "proof_malformed";
  if (!asymmetricAlgorithms.has(parsed.algorithm)) return "proof_malformed";
  const key = publicKeyIn(jwk);
  if (key === undefined) return "proof_malformed";
  if (thumbprintOf(key) !== jkt) return "proof_key";
  if (!isSignedBy(parsed, key)) return "proof_signature";

  const { htm, htu, iat, jti, ath, nonce } = claims;
  if (!isAboutRequest(htm, htu, demands)) return "proof_request";
  if (ath !== createHash("sha256").update(token).digest("base64url")) return "proof_token";
  if (!isInstant(iat)) return "proof_time";
  const until = iat + maxProofAgeSeconds + clockToleranceSeconds;
  if (iat > nowSeconds + clockToleranceSeconds || until <= nowSeconds) return "proof_time";
  if (nonces !== undefined && !nonces.accepts(nonce)) return "proof_nonce";
  if (typeof jti !== "string" || jti === "" || jti.length > maxIdCharacters) {
    return "proof_malformed";
  }
  const state = memory.use(jkt, jti, until, nowSeconds);
  if (state === "fresh") return undefined;
  return state === "used" ? "proof_replayed" : "memory_full";
}
