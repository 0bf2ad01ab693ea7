// A home where somebody has signed in, for real tools that take their tokens by the helpers of the built command line.

import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CertificateAuthority } from "./certificates.ts";
import { runLatchkey, scratchHome } from "./command-line.ts";
import { startIdentityProvider, type IdentityProvider } from "./identity-provider.ts";
import type { ToolServer } from "./tool-servers.ts";

const dist = fileURLToPath(new URL("../../dist/cli/", import.meta.url));
const browserScript = fileURLToPath(new URL("browser-command.mjs", import.meta.url));
const names = [
  "latchkey",
  "git-credential-latchkey",
  "docker-credential-latchkey",
  "cargo-credential-latchkey",
  "kubectl-latchkey",
];

/** How a tool ended, and all that it said. */
export interface Ran {
  readonly code: number;
  readonly output: string;
}

export interface ToolDesk {
  readonly home: string;
  /** What its programs see. */
  readonly environment: Readonly<Record<string, string>>;
  readonly identityProvider: IdentityProvider;
  /** Closed with the desk. */
  started(server: Promise<ToolServer>): Promise<ToolServer>;
  /** Writes the configuration file, with a table for each of these servers. */
  configure(...known: readonly Pick<ToolServer, "host">[]): void;
  /** Runs a tool as a person would, without a terminal. */
  run(
    command: string,
    parameters: readonly string[],
    more?: Readonly<Record<string, string>>,
  ): Promise<Ran>;
  /** How often a browser was opened. */
  opened(): number;
  close(): Promise<void>;
}

/** Profiles `work`, which is signed in, and `kube`, which is not. `authority`: of a provider that is served with TLS. */
export async function startToolDesk(
  idTokenLifetimeSeconds: number = 3600,
  authority?: CertificateAuthority,
): Promise<ToolDesk> {
  const identityProvider = await startIdentityProvider({
    idTokenLifetimeSeconds,
    ...(authority === undefined ? {} : { tls: authority }),
  });
  const scratch = await scratchHome();
  const home = scratch.path;
  const servers: ToolServer[] = [];
  const bin = join(home, "bin");
  mkdirSync(bin);
  for (const name of names) symlinkSync(join(dist, `${name}.cjs`), join(bin, name));
  const log = join(home, "opened.log");
  const environment = {
    PATH: `${bin}:${process.env["PATH"] ?? ""}`,
    HOME: home,
    DISPLAY: ":9",
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
    LC_ALL: "C",
  };
  const configure: ToolDesk["configure"] = (...known) => {
    const folder = join(home, ".config", "latchkey");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const trusted = authority === undefined ? "" : `LATCHKEY_TEST_CA=${authority.caPath} `;
    const browser = `/usr/bin/env LATCHKEY_TEST_BROWSER_LOG=${log} ${trusted}${process.execPath} ${browserScript}`;
    const profile = (name: string, scopes: string): string => `[profile.${name}]
issuer = "${identityProvider.issuer}"
client-id = "${identityProvider.clients.public.clientId}"
scopes = [${scopes}]
callback-port = 0
browser-command = '${browser}'
${authority === undefined ? "" : `ca-cert-path = "${authority.caPath}"\n`}`;
    // Other scopes, and so another sign-in.
    const profiles = [
      profile("work", '"openid", "offline_access"'),
      profile("kube", '"openid", "offline_access", "email"'),
    ];
    const tables = known.map(({ host }) => `[server."${host}"]\nprofile = "work"\n`);
    writeFileSync(join(folder, "config.toml"), [...profiles, ...tables].join("\n"), {
      mode: 0o600,
    });
  };
  configure();
  const signedIn = await runLatchkey(["login", "--profile", "work"], { home, env: environment });
  if (signedIn.code !== 0) throw new Error(signedIn.stderr);
  identityProvider.resetRequests();
  return {
    home,
    environment,
    identityProvider,
    configure,
    opened: () => readFileSync(log, "utf8").trim().split("\n").length,
    started: async (server) => {
      const ready = await server;
      servers.push(ready);
      return ready;
    },
    run: (command, parameters, more = {}) =>
      new Promise((resolve) => {
        const options = { cwd: home, env: { ...environment, ...more }, timeout: 60_000 };
        const child = execFile(command, [...parameters], options, (error, stdout, stderr) => {
          const code = typeof error?.code === "number" ? error.code : -1;
          resolve({ code: error === null ? 0 : code, output: stdout + stderr });
        });
        child.stdin?.end();
      }),
    close: async () => {
      for (const server of servers) await server.close();
      await identityProvider.close();
      await scratch.remove();
    },
  };
}

/** A block of docs/tools.md that holds this, so that the page says what the tests run. */
export function linesOfPage(part: string): string {
  const page = readFileSync(new URL("../../docs/tools.md", import.meta.url), "utf8");
  const blocks = [...page.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
  const [found, ...others] = blocks.filter((text) => text.includes(part));
  if (found !== undefined && others.length === 0) return found;
  throw new Error(`docs/tools.md has not one ${part}`);
}

/** A kubeconfig whose user the page's command has made, with the profile `kube` and nobody at a terminal. */
export async function writeKubeconfig(
  here: ToolDesk,
  host: string,
  authority: CertificateAuthority,
): Promise<string> {
  const path = join(here.home, "kubeconfig");
  const cluster = { server: `https://${host}`, "certificate-authority": authority.caPath };
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    contexts: [{ name: "x", context: { cluster: "c", user: "me" } }],
    "current-context": "x",
  };
  // YAML takes JSON as it is.
  writeFileSync(path, JSON.stringify(content));
  const line = linesOfPage("set-credentials").replace("=work", "=kube --exec-arg=--interactive");
  const { code, output } = await here.run("/bin/sh", ["-c", line], { KUBECONFIG: path });
  if (code !== 0) throw new Error(output);
  return path;
}
