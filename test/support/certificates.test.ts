// Changes with what the private authority of the tests can make.
import { once } from "node:events";
import { existsSync } from "node:fs";
import { checkServerIdentity, connect, createServer } from "node:tls";
import type { ConnectionOptions, PeerCertificate } from "node:tls";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeCertificateAuthority } from "./certificates.ts";
import type { CertificateAuthority, LeafCertificate } from "./certificates.ts";
import { needs } from "./debian-packages.ts";

/** How a client's TLS handshake with this leaf ends: "trusted", or the code of its failure. */
async function handshake(
  leaf: LeafCertificate,
  options: ConnectionOptions & { listenOn?: string } = {},
): Promise<string> {
  const host = options.listenOn ?? "127.0.0.1";
  const server = createServer({ cert: leaf.certificate, key: leaf.key });
  server.on("tlsClientError", () => undefined);
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({ host, port, ...options });
  try {
    await once(socket, "secureConnect");
    return "trusted";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    socket.destroy();
    server.close();
  }
}

/** Node 22.23 finds no IPv6 address in a certificate: https://github.com/nodejs/node/issues/64144 */
const nodeReadsIpv6Names =
  checkServerIdentity("::1", {
    subject: {},
    subjectaltname: "IP Address:::1",
  } as PeerCertificate) === undefined;

describe.skipIf(!needs("openssl").available)("a private authority", () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = await makeCertificateAuthority();
  });
  afterAll(() => authority.dispose());

  test.each(["127.0.0.1", "::1"])("is trusted on %s once its root is given", async (listenOn) => {
    const refusedByNode = listenOn === "::1" && !nodeReadsIpv6Names;
    expect(await handshake(authority, { ca: authority.caPem, listenOn })).toBe(
      refusedByNode ? "ERR_TLS_CERT_ALTNAME_INVALID" : "trusted",
    );
    expect(await handshake(authority, { listenOn })).toBe("UNABLE_TO_VERIFY_LEAF_SIGNATURE");
  });

  test("makes an expired leaf and one for another host, at the same time", async () => {
    const ca = authority.caPem;
    const [expired, wrongHost] = await Promise.all([
      authority.expiredLeaf(),
      authority.wrongHostLeaf(),
    ]);
    expect(await handshake(expired, { ca })).toBe("CERT_HAS_EXPIRED");
    expect(await handshake(wrongHost, { ca })).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
  });

  test("removes its files", async () => {
    const other = await makeCertificateAuthority();
    expect(existsSync(other.caPath)).toBe(true);
    await other.dispose();
    expect(existsSync(other.caPath)).toBe(false);
  });
});
