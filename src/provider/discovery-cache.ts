// Metadata and keys kept between runs, so that a later sign-in or refresh asks for neither.

import { createHash } from "node:crypto";
import { join } from "node:path";
import { emit } from "../core/events.ts";
import { maxResponseBytes } from "../core/limits.ts";
import { removePrivateFile, writeFileAtomically } from "../files/atomic-write.ts";
import { readPrivateFileSync } from "../files/secure-read.ts";
import type { HttpClient } from "../http/exchange.ts";
import { hostAndPort } from "../core/hosts.ts";
import { readJsonObject } from "../http/json-body.ts";
import type { DiscoveredDocument } from "./discovery.ts";
import type { ProviderWorld } from "./provider-types.ts";

const schema = 2;
// Two documents of the longest size that is accepted from the network, and what stands around them.
const maxFileBytes = 2 * maxResponseBytes + 64 * 1024;

/** A key set as it was fetched; it is validated again whenever it is read. */
export interface CachedKeySet {
  readonly jwksUri: string;
  readonly document: Readonly<Record<string, unknown>>;
  /** Seconds since the epoch; then it serves refreshes alone. */
  readonly expiresAt: number;
}

/** What is kept of one provider. */
export interface CachedProvider {
  readonly metadata?: DiscoveredDocument;
  readonly keySet?: CachedKeySet;
}

// Where there is no folder, or it can't be written, one process still asks only once. Kept by HTTP client, because the
// client stands for what the connection trusts (CA bundle, proxy), and lives as long as the credential.
const memory = new WeakMap<HttpClient, Map<string, CachedProvider>>();

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseMetadataEntry(value: unknown): DiscoveredDocument | undefined {
  if (!isObject(value)) return undefined;
  const { document, source, expiresAt } = value;
  if (!isObject(document) || (source !== "openid" && source !== "oauth")) return undefined;
  return typeof expiresAt === "number" ? { document, source, expiresAt } : undefined;
}

function parseKeySetEntry(value: unknown): CachedKeySet | undefined {
  if (!isObject(value)) return undefined;
  const { document, jwksUri, expiresAt } = value;
  if (!isObject(document) || typeof jwksUri !== "string") return undefined;
  return typeof expiresAt === "number" ? { document, jwksUri, expiresAt } : undefined;
}

function isSecure(url: string): boolean {
  return URL.canParse(url) && new URL(url).protocol === "https:";
}

function parseCachedProvider(bytes: Buffer, issuer: string): CachedProvider {
  const body = readJsonObject({
    status: 200,
    headers: {},
    body: new Uint8Array(bytes),
    url: issuer,
  });
  // The file's name is a hash of the issuer; the issuer itself stands in the file, and decides.
  if (!body.ok || body.value["latchkey"] !== schema || body.value["issuer"] !== issuer) return {};
  const metadata = parseMetadataEntry(body.value["metadata"]);
  const keySet = parseKeySetEntry(body.value["keySet"]);
  return { ...(metadata && { metadata }), ...(keySet && { keySet }) };
}

/**
 * The cache of one provider, as one set of trusted roots vouched for it. What came over plain `http:`, which nobody
 * vouched for, is remembered by this process alone. Nothing in the cache ever fails a sign-in.
 */
export class DiscoveryCache {
  readonly #world: ProviderWorld;
  readonly #issuer: string;
  readonly #path: string | undefined;

  private constructor(world: ProviderWorld, issuer: string, path: string | undefined) {
    this.#world = world;
    this.#issuer = issuer;
    this.#path = path;
  }

  /** @throws {OidcError} `ca_bundle_invalid`: without it no request would be sent either. */
  static async open(world: ProviderWorld, issuer: string): Promise<DiscoveryCache> {
    const folder = world.cacheFolder;
    if (folder === undefined || !isSecure(issuer)) {
      return new DiscoveryCache(world, issuer, undefined);
    }
    const identity = JSON.stringify([issuer, await world.http.trustedRoots()]);
    const name = createHash("sha256").update(identity).digest("hex").slice(0, 32);
    return new DiscoveryCache(world, issuer, join(folder, "providers", `${name}.json`));
  }

  get #remembered(): Map<string, CachedProvider> {
    let entries = memory.get(this.#world.http);
    if (entries === undefined) {
      entries = new Map();
      memory.set(this.#world.http, entries);
    }
    return entries;
  }

  /** What is kept, however old. The caller validates it like fresh content and judges its age. */
  read(): CachedProvider {
    const remembered = this.#remembered.get(this.#issuer);
    if (remembered !== undefined) return remembered;
    const path = this.#path;
    if (path === undefined) return {};
    let bytes: Buffer | undefined;
    try {
      bytes = readPrivateFileSync(path, maxFileBytes);
    } catch {
      // A file that others can write is as good as none: asking the provider costs one request, believing a planted
      // key set would cost the signature's whole meaning.
      return {};
    }
    if (bytes === undefined) return {};
    const cached = parseCachedProvider(bytes, this.#issuer);
    this.#remembered.set(this.#issuer, cached);
    if (cached.metadata !== undefined) {
      emit(this.#world.logger, "discovery.cached", { host: hostAndPort(this.#issuer) });
    }
    return cached;
  }

  /** Keeps more of the provider. A disk that refuses is no reason to fail: memory has it. */
  async merge(more: CachedProvider): Promise<void> {
    const next: CachedProvider = { ...this.read(), ...more };
    this.#remembered.set(this.#issuer, next);
    await this.#write(next);
  }

  /** Forgets everything about the provider. */
  async forget(): Promise<void> {
    this.#remembered.delete(this.#issuer);
    const path = this.#path;
    if (path === undefined) return;
    try {
      await removePrivateFile(path);
    } catch {
      // A disk that can't be written keeps what it has; memory at least starts anew.
      this.#remembered.set(this.#issuer, {});
    }
  }

  async #write(content: CachedProvider): Promise<void> {
    const path = this.#path;
    if (path === undefined) return;
    const { metadata, keySet } = content;
    const text = JSON.stringify({
      latchkey: schema,
      issuer: this.#issuer,
      metadata,
      ...(keySet !== undefined && isSecure(keySet.jwksUri) ? { keySet } : {}),
    });
    try {
      await writeFileAtomically(path, Buffer.from(text));
    } catch {
      // Only speed is lost: the next process asks the provider.
    }
  }
}
