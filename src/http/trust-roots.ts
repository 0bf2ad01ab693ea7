// Which roots are trusted when the caller names more of them. Changes when Node's own roots are to be had otherwise.

import { createHash, X509Certificate } from "node:crypto";
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import * as tls from "node:tls";
import { OidcError } from "../core/errors.ts";
import { longestUserFileBytes } from "../core/limits.ts";
import { powerProblem } from "../files/powerful-file.ts";

/** What a file could not be used for, in words; thrown and caught in this file alone. */
class Unusable extends Error {
  readonly lowerCode: string | undefined;

  constructor(problem: string, lowerCode?: string) {
    super(problem);
    this.lowerCode = lowerCode;
  }
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  ENOTDIR: "does not exist",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
  EISDIR: "is a folder, not a file",
  ELOOP: "is a chain of links without end",
};

async function readWhole(path: string, isNamedByUser: boolean): Promise<string> {
  // Non-blocking, so that a FIFO in the file's place cannot hold the process.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const status = await file.stat();
    if (status.isDirectory()) throw new Unusable("is a folder, not a file");
    if (!status.isFile()) throw new Unusable("is not a regular file");
    // Whoever can change it decides whom the secret goes to (F-S7). Node's own variable is Node's to judge.
    const problem = isNamedByUser ? powerProblem(path, status) : undefined;
    if (problem !== undefined) throw new Unusable(problem);
    const buffer = Buffer.alloc(longestUserFileBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > longestUserFileBytes) {
        throw new Unusable(`is longer than ${longestUserFileBytes} bytes`);
      }
    }
    // PEM is ASCII; Latin-1 keeps every byte, so that garbage stays recognisable as such.
    return buffer.toString("latin1", 0, length);
  } finally {
    await file.close();
  }
}

interface PemBlock {
  readonly label: string;
  readonly text: string;
}

/** The blocks of a PEM file in one pass over it. A block without its end is an error, text between blocks is not. */
function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  const begin = "-----BEGIN ";
  for (let from = text.indexOf(begin); from !== -1; from = text.indexOf(begin, from)) {
    const labelEnd = text.indexOf("-----", from + begin.length);
    const label = labelEnd === -1 ? "" : text.slice(from + begin.length, labelEnd);
    const end = `-----END ${label}-----`;
    const endsAt = label === "" || label.length > 64 ? -1 : text.indexOf(end, labelEnd);
    if (endsAt === -1) throw new Unusable("is cut off: a PEM block in it has no end");
    from = endsAt + end.length;
    blocks.push({ label, text: text.slice(text.lastIndexOf(begin, endsAt), from) });
  }
  return blocks;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0;
  } catch {
    return false;
  }
}

function certificatesOf(text: string): string[] {
  if (text.trim() === "") throw new Unusable("is empty");
  const blocks = pemBlocks(text);
  const certificates = blocks.filter(({ label }) => label === "CERTIFICATE");
  if (certificates.length === 0) {
    if (blocks.some(({ label }) => label.endsWith("PRIVATE KEY"))) {
      throw new Unusable("holds a private key and no certificate");
    }
    if (blocks.length > 0) throw new Unusable("holds no block of the kind CERTIFICATE");
    throw new Unusable(
      "is not in PEM form (a file in DER form becomes PEM with: openssl x509 -inform der -in FILE)",
    );
  }
  const damaged = certificates.findIndex((certificate) => !isCertificate(certificate.text));
  if (damaged !== -1) {
    throw new Unusable(`is damaged: certificate ${damaged + 1} in it cannot be read`);
  }
  return certificates.map((certificate) => certificate.text);
}

/**
 * The certificates of a PEM bundle, each of them parsed once. A key or other blocks beside them are ignored.
 * @throws {OidcError} `ca_bundle_invalid` that names the file and what is wrong with it.
 */
export async function readCaBundle(
  path: string,
  isNamedByUser: boolean = true,
): Promise<readonly string[]> {
  try {
    return certificatesOf(await readWhole(path, isNamedByUser));
  } catch (error) {
    const lowerCode = (error as NodeJS.ErrnoException).code;
    const problem =
      error instanceof Unusable
        ? error.message
        : (fileProblems[lowerCode ?? ""] ?? `cannot be read (${lowerCode ?? "unknown reason"})`);
    throw new OidcError(
      "ca_bundle_invalid",
      `The file of trusted roots ${path} ${problem}. No request was sent. Set \`caCertPath\` to a PEM file with at ` +
        `least one certificate.`,
      lowerCode === undefined
        ? {}
        : { cause: Object.assign(new Error(lowerCode), { code: lowerCode }) },
    );
  }
}

/** Since Node 22.15: the roots in use, with those of NODE_EXTRA_CA_CERTS and, where switched on, of the system. */
type ReadsRoots = { getCACertificates?: (type: "default") => readonly string[] };

/**
 * The roots that this process trusts anyway: a `ca` option replaces them, so whoever sets one has to repeat them.
 * An unreadable NODE_EXTRA_CA_CERTS adds nothing, as in Node itself (which has warned about it).
 */
export async function nodeRoots(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly string[]> {
  const roots = (tls as ReadsRoots).getCACertificates?.("default") ?? tls.rootCertificates;
  const extraPath = environment["NODE_EXTRA_CA_CERTS"];
  if (extraPath === undefined || extraPath === "") return roots;
  try {
    return [...roots, ...(await readCaBundle(extraPath, false))];
  } catch {
    return roots;
  }
}

/** What connections trust. */
export interface TrustedRoots {
  /** In PEM form. */
  readonly certificates: readonly string[];
  /** Of the set of certificates: neither their order nor the files that they stand in matter. */
  readonly digest: string;
}

/**
 * Node's roots and those of the bundle.
 * @throws {OidcError} `ca_bundle_invalid`.
 */
export async function readTrustedRoots(
  caCertPath: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<TrustedRoots> {
  const bundle = caCertPath === undefined ? [] : await readCaBundle(caCertPath);
  const certificates = [...(await nodeRoots(environment)), ...bundle];
  const contents = new Set(certificates.map((text) => text.replaceAll(/\s+/g, "")));
  const digest = createHash("sha256");
  for (const content of [...contents].toSorted()) digest.update(content).update("\n");
  return { certificates, digest: digest.digest("hex").slice(0, 32) };
}

/** A TLS context with these roots, made once because parsing some 150 of them costs time. */
export function createSecureContext(roots: TrustedRoots): tls.SecureContext {
  // RFC 9325 section 3.1.1: "Implementations MUST NOT negotiate TLS version 1.1."
  return tls.createSecureContext({ ca: [...roots.certificates], minVersion: "TLSv1.2" });
}
