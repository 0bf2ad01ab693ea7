// A PostgreSQL 18 that takes tokens (OAUTHBEARER). Debian has none yet: its programs and headers come from PyPI, and the
// module that asks the provider about tokens is compiled here. Changes when tests need something else of one.

import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import type { CertificateAuthority } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { hasPython, pythonPackages } from "./installed-once.ts";
import { startPostgres, type PostgresServer } from "./postgres-server.ts";

const source = fileURLToPath(new URL("postgres-validator.c", import.meta.url));

/** Why there can be none here; undefined where there can. */
export function whyNoPostgres18(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "not Linux on x64";
  if (!hasPython()) return "no Python with venv";
  return spawnSync("cc", ["--version"]).status === 0 ? undefined : "no C compiler";
}

const tlsRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** The other side of a connection, over TLS where that is asked for first, as PostgreSQL has it. */
function overTls(client: Socket, key: string, cert: string): Promise<Duplex> {
  return new Promise((resolve) => {
    client.once("data", (first: Buffer) => {
      if (!first.equals(tlsRequest)) {
        client.destroy();
        return;
      }
      const secure = new TLSSocket(client, { isServer: true, key, cert });
      secure.on("error", () => client.destroy()).once("secure", () => resolve(secure));
      client.write("S");
    });
  });
}

/** TLS before a server that has none of its own. `bytes`: how many have come through it. */
async function startTlsFront(
  port: number,
  authority: CertificateAuthority,
): Promise<{ port: number; bytes: () => number; close: () => void }> {
  const key = readFileSync(authority.keyPath, "utf8");
  const cert = readFileSync(authority.certificatePath, "utf8");
  let bytes = 0;
  const front = createServer((client) => {
    client.on("error", () => undefined);
    void overTls(client, key, cert).then((secure) => {
      const server = connect(port, "127.0.0.1");
      server.on("error", () => client.destroy());
      secure.on("data", (chunk: Buffer) => (bytes += chunk.length));
      secure.pipe(server).pipe(secure);
    });
  }).listen(0, "127.0.0.1");
  await once(front, "listening");
  const own = (front.address() as AddressInfo).port;
  return { port: own, bytes: () => bytes, close: () => void front.close() };
}

/** A server that takes each token that a provider's userinfo endpoint takes, for any role, over TLS at `port`. */
export async function startPostgres18(
  provider: IdentityProvider,
  authority: CertificateAuthority,
): Promise<PostgresServer & { readonly port: number; readonly psql: string; bytes(): number }> {
  const python = await pythonPackages(["embedded-postgres==18.6.3"]);
  const find = "import importlib.util; print(importlib.util.find_spec('embedded_postgres').origin)";
  const found = execFileSync(python, ["-c", find], { encoding: "utf8" }).trim();
  const packages = dirname(dirname(found));
  // The server does not run as root, and so not from a folder of root's.
  const work = mkdtempSync(join(tmpdir(), "latchkey-postgres-18-"));
  for (const name of ["embedded_postgres/pginstall", "embedded_postgres.libs"]) {
    cpSync(join(packages, name), join(work, name), { recursive: true });
  }
  const home = join(work, "embedded_postgres/pginstall");
  const module = join(work, "validator.so");
  const headers = ["-I", join(home, "include/server"), "-I", join(home, "include")];
  execFileSync("cc", ["-shared", "-fPIC", "-O1", ...headers, "-o", module, source]);
  // A wheel has no rights to be executed.
  execFileSync("chmod", ["-R", "a+rX", work]);
  execFileSync("chmod", ["-R", "a+x", join(home, "bin")]);
  const port = await freePort();
  const { issuer } = provider;
  const rule = `issuer="${issuer}" scope="openid" validator="${module}" delegate_ident_mapping=1`;
  const server = await startPostgres({
    programs: join(home, "bin"),
    port,
    settings: { oauth_validator_libraries: module },
    // These programs were built without TLS, which is before them.
    access: [`host all all 127.0.0.1/32 oauth ${rule}`],
    env: { LATCHKEY_TEST_USERINFO: `${new URL(issuer).port} /me` },
  });
  const front = await startTlsFront(port, authority);
  return {
    ...server,
    environment: { ...server.environment, PGPORT: String(port) },
    port: front.port,
    bytes: front.bytes,
    psql: join(home, "bin/psql"),
    close: async () => {
      front.close();
      await server.close();
      rmSync(work, { recursive: true, force: true });
    },
  };
}
