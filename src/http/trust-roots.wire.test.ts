import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tls from "node:tls";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CertificateAuthority } from "../../test/support/certificates.ts";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { makeClient, tokenRequest } from "../../test/support/http-client.ts";
import { maxUserFileBytes } from "../core/limits.ts";
import { nodeRoots, readCaBundle, readTrustedRoots } from "./trust-roots.ts";

let authority: CertificateAuthority;
let folder: string;

beforeAll(async () => {
  authority = await makeCertificateAuthority();
  folder = await mkdtemp(join(tmpdir(), "latchkey-roots-"));
});

afterAll(async () => {
  await authority.dispose();
  await rm(folder, { recursive: true, force: true });
});

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The message about a bundle, after checking that it names the path and that nothing was sent. */
async function problemOf(path: string): Promise<string> {
  const client = makeClient({ caCertPath: path });
  const error = await client.failure(tokenRequest("https://127.0.0.1:1"));
  expect(error.code).toBe("ca_bundle_invalid");
  expect(error.message).toContain(path);
  expect(client.events.filter(({ name }) => name === "http.request")).toEqual([]);
  return error.message;
}

test("refuses a bundle that is not there [S03]", async () => {
  expect(await problemOf(join(folder, "absent.pem"))).toContain("does not exist");
});

test("refuses a bundle that may not be read [S03]", async () => {
  const path = await file("closed.pem", authority.caPem);
  await promisify(execFile)("chmod", ["000", path]);
  // Root may read everything, so it plays somebody else for a moment.
  const root = process.geteuid?.() === 0;
  await chmod(folder, 0o755);
  if (root) process.seteuid?.(65_534);
  try {
    expect(await problemOf(path)).toContain("may not be read");
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test("refuses what is no regular file [S03]", async () => {
  expect(await problemOf(folder)).toContain("is a folder");
  const fifo = join(folder, "fifo");
  await promisify(execFile)("mkfifo", [fifo]);
  expect(await problemOf(fifo)).toContain("not a regular file");
});

test("refuses a bundle without a usable certificate [S03]", async () => {
  const damaged = authority.caPem.replace(/\n[A-Za-z0-9+/]{20}/, `\n${"A".repeat(20)}`);
  const derBytes = Buffer.from(authority.caPem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const cases: [string, string | Uint8Array, string][] = [
    ["empty", "", "is empty"],
    ["blank", " \n\n", "is empty"],
    ["garbage", "not a certificate\n", "not in PEM form"],
    ["der", derBytes, "openssl x509 -inform der"],
    ["key", authority.key, "a private key and no certificate"],
    [
      "request",
      "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
      "no block",
    ],
    ["cut", authority.caPem.slice(0, 200), "is cut off"],
    ["damaged", damaged, "certificate 1 in it"],
    ["second-damaged", authority.caPem + damaged, "certificate 2 in it"],
  ];
  for (const [name, content, problem] of cases) {
    expect(await problemOf(await file(`${name}.pem`, content))).toContain(problem);
  }
});

test("refuses a bundle beyond the bound [S03]", async () => {
  const path = await file("long.pem", authority.caPem);
  await truncate(path, maxUserFileBytes + 1);
  expect(await problemOf(path)).toContain("is longer than");
  expect(await problemOf("/dev/zero")).toContain("not a regular file");
});

test("is not held up by a file full of beginnings [S03]", async () => {
  const path = await file("beginnings.pem", "-----BEGIN A-----\n".repeat(200_000));
  expect(await problemOf(path)).toContain("is cut off");
});

test("shows nothing of a file that is no bundle [S03]", async () => {
  const path = await file("secret.pem", "canary-secret-value");
  expect(await problemOf(path)).not.toContain("canary");
});

test("reads again after a bundle was put right", async () => {
  const path = await file("later.pem", "");
  const client = makeClient({ caCertPath: path });
  const request = tokenRequest("https://127.0.0.1:1");
  expect((await client.failure(request)).code).toBe("ca_bundle_invalid");
  await writeFile(path, authority.caPem);
  expect((await client.failure(request)).code).toBe("network");
});

test("takes every certificate of a bundle, with text, keys and line ends of any kind around them", async () => {
  const bundle = `# root\r\n${authority.caPem.replaceAll("\n", "\r\n")}${authority.key}${authority.certificate}`;
  const path = await file("mixed.pem", bundle);
  const link = join(folder, "link.pem");
  await symlink(path, link);
  expect(readCaBundle(link)).toHaveLength(2);
});

test("repeats Node's own roots and those of NODE_EXTRA_CA_CERTS", async () => {
  const roots = nodeRoots({ NODE_EXTRA_CA_CERTS: authority.caPath });
  expect(roots).toEqual(expect.arrayContaining([...tls.rootCertificates]));
  expect(roots.at(-1)?.trim()).toBe(authority.caPem.trim());
});

test("goes on without a NODE_EXTRA_CA_CERTS that cannot be read, as Node does", async () => {
  const absent = { NODE_EXTRA_CA_CERTS: join(folder, "absent.pem") };
  expect(nodeRoots(absent)).toEqual(nodeRoots({}));
});

test("[F-S2] the digest is of the certificates, not of files, orders or paths", async () => {
  const other = await makeCertificateAuthority();
  const digest = (caCertPath?: string, extra?: string): string => {
    const environment = extra === undefined ? {} : { NODE_EXTRA_CA_CERTS: extra };
    return readTrustedRoots(caCertPath, environment).digest();
  };
  const both = await file("both.pem", authority.caPem + other.caPem);
  const turned = await file("turned.pem", `${other.caPem}\r\n${authority.caPem}`);
  expect(digest(turned)).toBe(digest(both));
  expect(digest(authority.caPath, other.caPath)).toBe(digest(both));
  await writeFile(both, authority.caPem);
  expect(digest(both)).toBe(digest(authority.caPath));
  const digests = [digest(), digest(authority.caPath), digest(turned)];
  expect(new Set(digests).size).toBe(3);
  await other.dispose();
});
