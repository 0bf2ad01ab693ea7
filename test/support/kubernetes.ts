// A real API server of Kubernetes with its etcd. Changes when another version of it is tested.

import { execFile, spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import type { CertificateAuthority } from "./certificates.ts";
import { freePort } from "./free-port.ts";
import { installedOnce, testsCache } from "./installed-once.ts";

const run = promisify(execFile);
const version = "1.36.3";
const name = `kubernetes-${version}`;

// Its module names these as parts of its own tree; each is published with the same number.
const ownParts =
  "api apiextensions-apiserver apimachinery apiserver cli-runtime client-go cloud-provider cluster-bootstrap " +
  "code-generator component-base component-helpers controller-manager cri-api cri-client cri-streaming " +
  "csi-translation-lib dynamic-resource-allocation endpointslice externaljwt kms kube-aggregator " +
  "kube-controller-manager kube-proxy kube-scheduler kubectl kubelet metrics mount-utils pod-security-admission " +
  "sample-apiserver sample-cli-plugin sample-controller streaming";

const program = `package main

import (
	"os"
	_ "time/tzdata"

	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() { os.Exit(cli.Run(app.NewAPIServerCommand())) }
`;

async function build(folder: string): Promise<void> {
  const source = join(folder, "source");
  mkdirSync(source);
  const part = version.replace(/^1/, "0");
  const replaced = ownParts.split(" ").map((each) => `\tk8s.io/${each} => k8s.io/${each} v${part}`);
  writeFileSync(join(source, "main.go"), program);
  writeFileSync(
    join(source, "go.mod"),
    `module tests

go 1.26.0

require (
	k8s.io/component-base v${part}
	k8s.io/kubernetes v${version}
)

replace (
${replaced.join("\n")}
)
`,
  );
  await run("go", ["mod", "tidy"], { cwd: source });
  const words = `-s -w -X k8s.io/component-base/version.gitVersion=v${version}`;
  const target = join(folder, "kube-apiserver");
  await run("go", ["build", "-p", "1", "-trimpath", "-ldflags", words, "-o", target, "."], {
    cwd: source,
  });
  rmSync(source, { recursive: true });
  // Not installed: Debian's package would start a server of its own.
  await run("apt-get", ["download", "etcd-server"], { cwd: folder });
  const [archive = ""] = readdirSync(folder).filter((each) => each.endsWith(".deb"));
  await run("dpkg", ["-x", archive, "etcd"], { cwd: folder });
  rmSync(join(folder, archive));
}

/**
 * Whether it is there. Building it takes ten minutes and Go, so it is done where somebody asks for it:
 * `LATCHKEY_TEST_KUBERNETES=build npx vitest run --mode long test/long/kubernetes.test.ts`
 */
export const kubernetes: { readonly isWanted: boolean; readonly reason: string } = {
  isWanted:
    process.env["LATCHKEY_TEST_KUBERNETES"] === "build" || existsSync(join(testsCache, name)),
  reason: `${name} was not built (optional, Debian package golang)`,
};

export interface ApiServer {
  readonly host: string;
  close(): Promise<void>;
}

/** Starts one that knows people by the ID tokens of a provider: their name is the claim `email`. */
export async function startKubernetes(
  issuer: string,
  clientId: string,
  authority: CertificateAuthority,
): Promise<ApiServer> {
  const programs = await installedOnce(name, build);
  const folder = mkdtempSync(join(tmpdir(), "latchkey-kubernetes-"));
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const children: ChildProcess[] = [];
  const start = (path: string, settings: Readonly<Record<string, string>>): void => {
    const parameters = Object.entries(settings).map(([key, value]) => `--${key}=${value}`);
    const log = openSync(join(folder, "log"), "a");
    children.push(spawn(path, parameters, { cwd: folder, stdio: ["ignore", log, log] }));
    closeSync(log);
  };
  const certificate = join(folder, "server.pem");
  const key = join(folder, "server.key");
  writeFileSync(certificate, authority.certificate);
  writeFileSync(key, authority.key, { mode: 0o600 });
  const accounts = join(folder, "accounts.key");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(accounts, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  const etcd = `http://127.0.0.1:${client}`;
  const peers = `http://127.0.0.1:${peer}`;
  start(join(programs, "etcd", "usr", "bin", "etcd"), {
    "data-dir": join(folder, "etcd"),
    "listen-client-urls": etcd,
    "advertise-client-urls": etcd,
    "listen-peer-urls": peers,
    "initial-advertise-peer-urls": peers,
    "initial-cluster": `default=${peers}`,
  });
  start(join(programs, "kube-apiserver"), {
    "etcd-servers": etcd,
    "secure-port": String(port),
    "bind-address": "127.0.0.1",
    "advertise-address": "127.0.0.1",
    "external-hostname": "127.0.0.1",
    "cert-dir": folder,
    "service-cluster-ip-range": "10.0.0.0/24",
    "service-account-issuer": "https://kubernetes.default.svc",
    "service-account-key-file": accounts,
    "service-account-signing-key-file": accounts,
    "tls-cert-file": certificate,
    "tls-private-key-file": key,
    "authorization-mode": "AlwaysAllow",
    "oidc-issuer-url": issuer,
    "oidc-client-id": clientId,
    "oidc-username-claim": "email",
    "oidc-ca-file": authority.caPath,
  });
  const ready = ["-sS", "--cacert", authority.caPath, `https://127.0.0.1:${port}/readyz`];
  const isReady = async (): Promise<boolean> => {
    try {
      const { stdout } = await run("curl", ready);
      // Without a name it is told nothing but that it needs one: the server is there.
      return /^ok|"code": 401/m.test(stdout);
    } catch {
      return false;
    }
  };
  const close = async (): Promise<void> => {
    for (const child of children.toReversed()) {
      if (child.exitCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    rmSync(folder, { recursive: true, force: true });
  };
  while (!(await isReady())) {
    const ended = children.find(({ exitCode }) => exitCode !== null);
    if (ended !== undefined) {
      const words = readFileSync(join(folder, "log"), "utf8").slice(-2000);
      await close();
      throw new Error(words);
    }
    await pause(200);
  }
  return { host: `127.0.0.1:${port}`, close };
}
