// Values that only who has the key can read, and that nobody else can change or put in another's place.

import type * as cryptoModule from "node:crypto";

import { OidcError } from "../core/errors.ts";

/** Bytes of a key of AES-256. */
export const keyBytes = 32;

/** What the caller gives: one key, several (the first one seals, all of them open), or a function that fetches them. */
export type GivenKey =
  | Uint8Array
  | readonly Uint8Array[]
  | (() => Promise<Uint8Array | readonly Uint8Array[]>);

/** What came of opening a value. */
export type Opened =
  | { readonly state: "open"; readonly text: string }
  /** It was cut, changed, or sealed for another place. */
  | { readonly state: "damaged" }
  /** It names a key that this program does not have. */
  | { readonly state: "otherKey" };

/** Seals values and opens them. */
export interface SealedValues {
  /** `place` is what the value belongs to: it opens nowhere else. */
  seal(text: string, place: string): string;
  open(sealed: string, place: string): Opened;
}

interface NamedKey {
  readonly name: string;
  readonly key: Uint8Array;
}

const format = "1";
const nonceBytes = 12;
const tagBytes = 16;
const nameCharacters = 8;
const algorithm = "aes-256-gcm";

// Loaded on first use, as everywhere: an import of the library must not pay for it.
function crypto(): typeof cryptoModule {
  return process.getBuiltinModule("node:crypto");
}

/** Tells keys apart, and nothing of them: the start of a one-way function of the key. */
function nameOfKey(key: Uint8Array): string {
  const digest = crypto().createHmac("sha256", key).update("latchkey name of a key").digest();
  return digest.toString("base64url").slice(0, nameCharacters);
}

/** Whether a value can be what a caller gives as a key. */
export function isGivenKey(value: unknown): value is GivenKey {
  return typeof value === "function" || isKeyOrKeys(value);
}

function isKey(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === keyBytes;
}

function isKeyOrKeys(value: unknown): value is Uint8Array | readonly Uint8Array[] {
  return isKey(value) || (Array.isArray(value) && value.length > 0 && value.every(isKey));
}

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce for each value: under one key it is good for 2^32 values, which at
 * a hundred a second is more than a year. What is sealed begins with its format and the name of its key, so that keys
 * can be changed while programs run.
 */
export function sealedValues(keys: readonly Uint8Array[]): SealedValues {
  const named: readonly NamedKey[] = keys.map((key) => {
    // A copy: what the caller does with its own array changes nothing here.
    const own = Uint8Array.from(key);
    return { name: nameOfKey(own), key: own };
  });
  const [first] = named;
  if (first === undefined) throw new TypeError("Without a key nothing can be sealed.");
  const boundTo = (name: string, place: string): Buffer =>
    Buffer.from(JSON.stringify(["latchkey", format, name, place]));
  return {
    seal(text, place) {
      const nonce = crypto().randomBytes(nonceBytes);
      const cipher = crypto().createCipheriv(algorithm, first.key, nonce);
      cipher.setAAD(boundTo(first.name, place));
      const bytes = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final()]);
      const sealed = Buffer.concat([bytes, cipher.getAuthTag()]).toString("base64url");
      return `${format}.${first.name}.${sealed}`;
    },
    open(sealed, place) {
      const parts = /^1\.([\w-]{8})\.([\w-]+)$/.exec(sealed);
      if (parts === null) return { state: "damaged" };
      const [, name = "", encoded = ""] = parts;
      const bytes = Buffer.from(encoded, "base64url");
      if (bytes.length < nonceBytes + tagBytes) return { state: "damaged" };
      const key = named.find((each) => each.name === name)?.key;
      if (key === undefined) return { state: "otherKey" };
      const decipher = crypto().createDecipheriv(algorithm, key, bytes.subarray(0, nonceBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(boundTo(name, place)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const text = decipher.update(bytes.subarray(nonceBytes, -tagBytes));
        return { state: "open", text: Buffer.concat([text, decipher.final()]).toString("utf8") };
      } catch {
        return { state: "damaged" };
      }
    },
  };
}

/**
 * The keys as the caller gives them now.
 * @throws {OidcError} `store_unavailable` (reason `key_unavailable`) where its function fails or gives something else.
 */
export async function keysOf(given: GivenKey): Promise<readonly Uint8Array[]> {
  let keys: unknown = given;
  if (typeof given === "function") {
    try {
      keys = await given();
    } catch (error) {
      throw keyUnavailable("The function that gives the key of the store failed.", error);
    }
  }
  if (!isKeyOrKeys(keys)) {
    throw keyUnavailable(
      `The function that gives the key of the store gave something else than ${keyBytes} bytes.`,
    );
  }
  return isKey(keys) ? [keys] : keys;
}

function keyUnavailable(summary: string, cause?: unknown): OidcError {
  return new OidcError("store_unavailable", summary, {
    reason: "key_unavailable",
    remedy: "Its own error is the cause of this one, where it threw.",
    cause,
  });
}
