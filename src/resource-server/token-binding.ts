// Whether the sender of a token has the key or the certificate that it is bound to (RFC 9449, RFC 8705).

import { createHash } from "node:crypto";
import { maxProofsRemembered } from "../core/limits.ts";
import { loadPart } from "../core/load.ts";
import type { ResourceServerRules } from "./options.ts";
import { ProofMemory } from "./proof-memory.ts";
import { ProofNonces } from "./proof-nonces.ts";
import type { Refusal } from "./refusal.ts";
import type { Refusals } from "./refusals.ts";
import type { ClientCertificate } from "./resource-server-types.ts";
import type { Sender } from "./sender.ts";

/** What a token says that it is bound to. */
interface Confirmation {
  readonly jkt: string | undefined;
  readonly certificate: string | undefined;
}

/** Undefined for a `cnf` that names neither of the two that can be checked (RFC 7800 section 3.1). */
function confirmationOf(cnf: unknown): Confirmation | undefined {
  if (cnf === undefined) return { jkt: undefined, certificate: undefined };
  if (typeof cnf !== "object" || cnf === null) return undefined;
  const { jkt, "x5t#S256": certificate } = cnf as Readonly<Record<string, unknown>>;
  const named = [jkt, certificate].filter((each) => each !== undefined);
  if (named.length === 0 || !named.every((each) => typeof each === "string")) return undefined;
  return { jkt: jkt as string | undefined, certificate: certificate as string | undefined };
}

function bytesOf(certificate: ClientCertificate): Uint8Array | undefined {
  if (certificate instanceof Uint8Array) return certificate;
  if (typeof certificate === "object") return certificate.raw;
  const [, base64] =
    /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/.exec(
      certificate.trim(),
    ) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

/** `x5t#S256` of a certificate (RFC 8705 section 3.1). */
function certificateThumbprint(certificate: ClientCertificate | undefined): string | undefined {
  const bytes = certificate === undefined ? undefined : bytesOf(certificate);
  if (!(bytes instanceof Uint8Array)) return undefined;
  return createHash("sha256").update(bytes).digest("base64url");
}

/** Judges senders for one server. */
export class TokenBinding {
  readonly #rules: ResourceServerRules;
  readonly #now: () => number;
  readonly #memory = new ProofMemory(maxProofsRemembered);
  readonly #nonces: ProofNonces | undefined;
  readonly #origin: string | undefined;
  readonly #refusals: Refusals;

  /** @param now in seconds since the epoch. */
  constructor(rules: ResourceServerRules, now: () => number, refusals: Refusals) {
    const { dpopNonces, resource } = rules;
    this.#rules = rules;
    this.#now = now;
    this.#refusals = refusals;
    this.#nonces =
      dpopNonces === false
        ? undefined
        : new ProofNonces(dpopNonces === true ? undefined : dpopNonces, now);
    this.#origin = resource === undefined ? undefined : new URL(resource).origin;
  }

  /** The value of `DPoP-Nonce` for answers; undefined where none is wanted in proofs. */
  get nonce(): string | undefined {
    return this.#nonces?.current();
  }

  /** True where the scheme is one that this server takes tokens under. */
  accepts(scheme: string): boolean {
    const { dpop } = this.#rules;
    if (scheme === "dpop") return dpop !== "refused";
    return scheme === "bearer" && dpop !== "required";
  }

  /** The whole address of the request: a path is one of the server's own, and never one of a header's (K22). */
  #urlOf(url: string | undefined): string | undefined {
    if (url === undefined || !url.startsWith("/")) return url;
    return this.#origin === undefined ? undefined : `${this.#origin}${url}`;
  }

  /** What the sender of a token that is otherwise accepted is refused with; undefined: nothing. */
  async problem(token: string, cnf: unknown, sender: Sender): Promise<Refusal | undefined> {
    const refusals = this.#refusals;
    const confirmation = confirmationOf(cnf);
    const isDpop = sender.scheme === "dpop";
    if (confirmation === undefined) return refusals.token("key_bound");
    const { jkt, certificate } = confirmation;
    // As a bearer token it proves nothing, and a proof for a token of anybody proves nothing either.
    if (jkt !== undefined && !isDpop) return this.#keyBound();
    if (jkt === undefined && isDpop) return refusals.token("not_bound");
    if (certificate !== undefined && certificateThumbprint(sender.certificate()) !== certificate) {
      return refusals.token("certificate");
    }
    return jkt === undefined ? undefined : this.#proof(token, jkt, sender);
  }

  #keyBound(): Refusal {
    return this.#refusals.token("key_bound", this.#rules.dpop === "refused" ? undefined : "DPoP");
  }

  async #proof(token: string, jkt: string, sender: Sender): Promise<Refusal | undefined> {
    const refusals = this.#refusals;
    const [proof, ...others] = sender.proofs;
    if (proof === undefined) return refusals.proof("proof_missing", this.nonce);
    if (others.length > 0) return refusals.request("several_proofs");
    const { proofProblem } = await loadPart(() => import("./dpop-proof.ts"));
    const problem = proofProblem(proof, {
      token,
      jkt,
      method: sender.method,
      url: this.#urlOf(sender.url),
      nowSeconds: this.#now(),
      clockToleranceSeconds: this.#rules.clockToleranceSeconds,
      nonces: this.#nonces,
      memory: this.#memory,
    });
    if (problem === undefined) return undefined;
    return problem === "memory_full" ? refusals.busy() : refusals.proof(problem, this.nonce);
  }
}
