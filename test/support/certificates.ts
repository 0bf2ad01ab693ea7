// Changes when tests need other certificates of a private authority.
import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface LeafCertificate {
  /** PEM. */
  certificate: string;
  /** PEM, PKCS #8. */
  key: string;
  /** Where they stand, for programs that take paths. They go with the authority. */
  certificatePath: string;
  keyPath: string;
}

export interface CertificateAuthority extends LeafCertificate {
  /** The root, to be trusted by a client. */
  caPem: string;
  caPath: string;
  /** A leaf for 127.0.0.1, ::1 and localhost whose time was over yesterday. */
  expiredLeaf(): Promise<LeafCertificate>;
  /** A valid leaf for another host name than the ones that tests connect to. */
  wrongHostLeaf(): Promise<LeafCertificate>;
  /** What a client may show of itself. */
  clientLeaf(): Promise<LeafCertificate>;
  /** A leaf for one IP address or host name, valid unless `isExpired`. */
  leafFor(host: string, options?: { isExpired?: boolean }): Promise<LeafCertificate>;
  /** Removes the files; the end of the process does it too. */
  dispose(): Promise<void>;
}

interface LeafWish {
  name: string;
  subjectAlternativeName: string;
  /** Default: serverAuth. */
  usage?: "clientAuth";
  /** As openssl takes them: YYYYMMDDHHMMSSZ. */
  validity: { start: string; end: string };
}

const loopbackNames = "IP:127.0.0.1,IP:::1,DNS:localhost";
const day = 24 * 3600 * 1000;
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

function opensslTime(millisecondsFromNow: number): string {
  const instant = new Date(Date.now() + millisecondsFromNow).toISOString();
  return `${instant.slice(0, 19).replaceAll(/[-:T]/g, "")}Z`;
}

/** `openssl ca` keeps a small database; it is the only command of OpenSSL 3.0 that takes a time of start and end. */
const authorityConfiguration = `
[ca]
default_ca = authority
[authority]
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
policy = anything
rand_serial = yes
unique_subject = no
[anything]
commonName = supplied
`;

async function issue(folder: string, wish: LeafWish): Promise<LeafCertificate> {
  const path = (extension: string): string => join(folder, `${wish.name}.${extension}`);
  const openssl = (...parameters: string[]) => run("openssl", parameters, { cwd: folder });
  const extensions = [
    `subjectAltName=${wish.subjectAlternativeName}`,
    "basicConstraints=CA:FALSE",
    `extendedKeyUsage=${wish.usage ?? "serverAuth"}`,
    "keyUsage=digitalSignature",
  ];
  await writeFile(path("extensions"), `${extensions.join("\n")}\n`);
  const request = ["-subj", `/CN=${wish.name}`, "-keyout", path("key"), "-out", path("request")];
  await openssl("req", ...newKey, ...request);
  const { start, end } = wish.validity;
  const times = ["-startdate", start, "-enddate", end];
  const files = ["-extfile", path("extensions"), "-in", path("request"), "-out", path("pem")];
  await openssl("ca", "-batch", "-notext", "-config", "authority.conf", ...times, ...files);
  return {
    certificate: await readFile(path("pem"), "utf8"),
    key: await readFile(path("key"), "utf8"),
    certificatePath: path("pem"),
    keyPath: path("key"),
  };
}

/** A private certificate authority for one test, with a leaf for the loopback names, made by the `openssl` command. */
export async function makeCertificateAuthority(): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), "latchkey-authority-"));
  const removeAtExit = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeAtExit);

  const caPath = join(folder, "ca.pem");
  await writeFile(join(folder, "authority.conf"), authorityConfiguration);
  await writeFile(join(folder, "index.txt"), "");
  const root = ["-subj", "/CN=Latchkey test root", "-days", "30", "-keyout", "ca.key"];
  const usage = [
    "basicConstraints=critical,CA:TRUE",
    "keyUsage=critical,keyCertSign,cRLSign",
  ].flatMap((extension) => ["-addext", extension]);
  await run("openssl", ["req", "-x509", ...newKey, ...root, "-out", caPath, ...usage], {
    cwd: folder,
  });

  // One after the other: `openssl ca` does not lock its database.
  let previous: Promise<unknown> = Promise.resolve();
  const issueInTurn = (wish: LeafWish): Promise<LeafCertificate> => {
    const issued = previous.then(() => issue(folder, wish));
    previous = issued.catch(() => undefined);
    return issued;
  };

  const now = { start: opensslTime(-day), end: opensslTime(30 * day) };
  const leaf = await issueInTurn({
    name: "loopback",
    subjectAlternativeName: loopbackNames,
    validity: now,
  });
  const past = { start: opensslTime(-10 * day), end: opensslTime(-day) };
  return {
    ...leaf,
    caPem: await readFile(caPath, "utf8"),
    caPath,
    expiredLeaf: () =>
      issueInTurn({
        name: "expired",
        subjectAlternativeName: loopbackNames,
        validity: past,
      }),
    wrongHostLeaf: () =>
      issueInTurn({
        name: "wrong-host",
        subjectAlternativeName: "DNS:other.example",
        validity: now,
      }),
    clientLeaf: () =>
      issueInTurn({
        name: "client",
        subjectAlternativeName: "DNS:client.example",
        usage: "clientAuth",
        validity: now,
      }),
    leafFor: (host, { isExpired = false } = {}) =>
      issueInTurn({
        name: `${isExpired ? "expired-" : ""}${host}`,
        subjectAlternativeName: `${isIP(host) === 0 ? "DNS" : "IP"}:${host}`,
        validity: isExpired ? past : now,
      }),
    dispose: async () => {
      process.removeListener("exit", removeAtExit);
      await rm(folder, { recursive: true, force: true });
    },
  };
}
