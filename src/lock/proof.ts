// How holder and waiter know each other, and hide what they say from anyone else. Changes when the cryptography does.

import type * as cryptoModule from "node:crypto";

/** Bytes of a nonce, of a proof and of every key: one SHA-256 output. */
export const proofBytes = 32;

const tagBytes = 16;
const initializationVectorBytes = 12;
// Every message is filled up to a multiple of this, so that its length does not tell a phase or an outcome.
const blockBytes = 512;

/** Keys of one lock: nobody without the `lock-id` file can make them. */
export interface LockKeys {
  /** What the lock is called at its system: 128 hexadecimal digits. */
  readonly id: string;
  /** Key of the proofs and seals of this lock alone: what is said about one lock is worth nothing for another. */
  readonly key: Uint8Array;
}

/** Who proves, and what for: a proof of one role is none of the other. `takeOver`: a waiter that asks for the lock. */
export type Role = "holder" | "waiter" | "takeOver";

// Loaded on first use: an import of the library, and a warm start, must not pay for it.
function crypto(): typeof cryptoModule {
  return process.getBuiltinModule("node:crypto");
}

/** Derives the id and the key of a lock from the shared secret, its file and the lock's name. */
export function deriveLockKeys(secret: string, inode: number, name: string): LockKeys {
  const digest = (label: string): cryptoModule.Hmac =>
    crypto().createHmac("sha512", secret).update(`${label}\0${inode}\0${name}`);
  return {
    id: digest("address").digest("hex"),
    key: digest("key").digest().subarray(0, proofBytes),
  };
}

/** The proof of a role over the nonces of both sides. */
export function prove(
  keys: LockKeys,
  role: Role,
  waiterNonce: Uint8Array,
  holderNonce: Uint8Array,
): Uint8Array {
  return derive(keys, role, waiterNonce, holderNonce);
}

/** True where `proof` is that of the role; takes the same time wherever it differs. */
export function isProof(
  proof: Uint8Array,
  keys: LockKeys,
  role: Role,
  waiterNonce: Uint8Array,
  holderNonce: Uint8Array,
): boolean {
  return (
    proof.length === proofBytes &&
    crypto().timingSafeEqual(proof, derive(keys, role, waiterNonce, holderNonce))
  );
}

/**
 * Seals (holder) or opens (waiter) the messages of one connection, in their order. Without it, a program that
 * takes the name right after a holder has freed it could pass a waiter's proof on to that holder, and read along.
 */
export interface Sealer {
  seal(text: string): Uint8Array;
  /** Undefined where the message is not the next one of the holder. */
  open(sealed: Uint8Array): string | undefined;
}

/** The sealer of the connection with these nonces. */
export function createSealer(
  keys: LockKeys,
  waiterNonce: Uint8Array,
  holderNonce: Uint8Array,
): Sealer {
  const key = derive(keys, "seal", waiterNonce, holderNonce);
  let counter = 0;
  // A key serves one connection in one direction, so that a counter never repeats under it.
  const nextInitializationVector = (): Uint8Array => {
    const vector = Buffer.alloc(initializationVectorBytes);
    vector.writeUInt32BE(counter, initializationVectorBytes - 4);
    counter += 1;
    return vector;
  };
  return {
    seal(text) {
      const cipher = crypto().createCipheriv("aes-256-gcm", key, nextInitializationVector());
      const bytes = Buffer.from(text);
      const blocks = Math.ceil(bytes.length / blockBytes);
      const padded = Buffer.alloc(blocks * blockBytes, " ");
      bytes.copy(padded);
      return Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed) {
      if (sealed.length <= tagBytes) return undefined;
      const decipher = crypto().createDecipheriv("aes-256-gcm", key, nextInitializationVector(), {
        authTagLength: tagBytes,
      });
      decipher.setAuthTag(sealed.subarray(-tagBytes));
      try {
        const bytes = decipher.update(sealed.subarray(0, -tagBytes));
        return Buffer.concat([bytes, decipher.final()]).toString();
      } catch {
        return undefined;
      }
    },
  };
}

function derive(
  keys: LockKeys,
  label: Role | "seal",
  waiterNonce: Uint8Array,
  holderNonce: Uint8Array,
): Uint8Array {
  return crypto()
    .createHmac("sha256", keys.key)
    .update(`${label}\0`)
    .update(waiterNonce)
    .update(holderNonce)
    .digest();
}
