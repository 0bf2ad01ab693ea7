// Which roots are trusted: Node's, and those of a bundle that the caller names.

import { createHash, X509Certificate } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import * as tls from "node:tls";
import { OidcError } from "../core/errors.ts";
import { maxUserFileBytes } from "../core/limits.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { powerProblem } from "../files/powerful-file.ts";

/** What a file could not be used for, in words; thrown and caught in this file alone. */
class Unusable extends Error {
  readonly remedy: Wording | undefined;

  constructor(problem: string, remedy?: Wording) {
    super(problem);
    this.remedy = remedy;
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

function readWhole(path: string, isNamedByUser: boolean): string {
  // Non-blocking, so that a FIFO in the file's place cannot hold the process.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const status = fstatSync(file);
    if (status.isDirectory()) throw new Unusable("is a folder, not a file");
    if (!status.isFile()) throw new Unusable("is not a regular file");
    // Whoever can change it decides whom the secret goes to (F-S7). Node's own variable is Node's to judge.
    const problem = isNamedByUser ? powerProblem(path, status) : undefined;
    if (problem !== undefined) throw new Unusable(problem.what, problem.remedy);
    const buffer = Buffer.alloc(maxUserFileBytes + 1);
    let length = 0;
    for (;;) {
      const count = readSync(file, buffer, length, buffer.length - length, null);
      if (count === 0) break;
      length += count;
      if (length > maxUserFileBytes) {
        throw new Unusable(`is longer than ${maxUserFileBytes} bytes`);
      }
    }
    // PEM is ASCII; Latin-1 keeps every byte, so that garbage stays recognisable as such.
    return buffer.toString("latin1", 0, length);
  } finally {
    closeSync(file);
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

/** A certificate as Node writes it: the same text for the same certificate, whatever file it stood in. */
function canonical(text: string): string {
  const content = text.replaceAll(/-----[^-]+-----|\s+/g, "");
  const lines = content.match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----"].join("\n");
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
  const texts = certificates.map((certificate) => canonical(certificate.text));
  const damaged = texts.findIndex((certificate) => !isCertificate(certificate));
  if (damaged !== -1) {
    throw new Unusable(`is damaged: certificate ${damaged + 1} in it cannot be read`);
  }
  return texts;
}

/**
 * The certificates of a PEM bundle, each of them parsed once. A key or other blocks beside them are ignored.
 * @throws {OidcError} `ca_bundle_invalid` that names the file and what is wrong with it.
 */
export function readCaBundle(path: string, isNamedByUser: boolean = true): readonly string[] {
  try {
    return certificatesOf(readWhole(path, isNamedByUser));
  } catch (error) {
    const lowerCode = (error as NodeJS.ErrnoException).code;
    const problem =
      error instanceof Unusable
        ? error.message
        : (fileProblems[lowerCode ?? ""] ?? `cannot be read (${lowerCode ?? "unknown reason"})`);
    throw new OidcError(
      "ca_bundle_invalid",
      `The file of trusted roots ${path} ${problem}. No request was sent.`,
      {
        remedy:
          (error instanceof Unusable ? error.remedy : undefined) ??
          say`Set ${option("caCertPath")} to a PEM file with at least one certificate.`,
        cause:
          lowerCode === undefined
            ? undefined
            : Object.assign(new Error(lowerCode), { code: lowerCode }),
      },
    );
  }
}

/** Since Node 22.15: the roots in use, with those of NODE_EXTRA_CA_CERTS and, where switched on, of the system. */
type ReadsRoots = { getCACertificates?: (type: "default") => readonly string[] };

/**
 * The roots that this process trusts anyway: a `ca` option replaces them, so whoever sets one has to repeat them.
 * An unreadable NODE_EXTRA_CA_CERTS adds nothing, as in Node itself (which has warned about it).
 */
export function nodeRoots(
  environment: Readonly<Record<string, string | undefined>>,
): readonly string[] {
  const roots = (tls as ReadsRoots).getCACertificates?.("default") ?? tls.rootCertificates;
  const extraPath = environment["NODE_EXTRA_CA_CERTS"];
  if (extraPath === undefined || extraPath === "") return roots;
  try {
    return [...roots, ...readCaBundle(extraPath, false)];
  } catch {
    return roots;
  }
}

/** What connections trust. */
export interface TrustedRoots {
  /** The certificates of the bundle in PEM form; undefined where none is named. */
  readonly bundle: readonly string[] | undefined;
  /** Node's roots and those of the bundle, in PEM form. */
  readonly all: () => readonly string[];
  /** Of the set of certificates: neither their order nor the files that they stand in matter. */
  readonly digest: () => string;
}

function digestOf(certificates: readonly string[]): string {
  // Each is canonical but for its last line end, Node's own too: to rewrite some 150 of them takes milliseconds.
  const contents = new Set(certificates.map((text) => text.trimEnd()));
  const all = [...contents].toSorted().join("\n");
  return createHash("sha256").update(all, "latin1").digest("hex").slice(0, 32);
}

/**
 * Node's roots and those of the bundle. The bundle is read now, and Node's roots when they are first needed.
 * @throws {OidcError} `ca_bundle_invalid`.
 */
export function readTrustedRoots(
  caCertPath: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): TrustedRoots {
  const bundle = caCertPath === undefined ? undefined : readCaBundle(caCertPath);
  let all: readonly string[] | undefined;
  let digest: string | undefined;
  const allOfThem = (): readonly string[] =>
    (all ??= [...nodeRoots(environment), ...(bundle ?? [])]);
  return { bundle, all: allOfThem, digest: () => (digest ??= digestOf(allOfThem())) };
}
