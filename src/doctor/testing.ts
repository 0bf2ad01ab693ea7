// A machine and a provider on which nothing is wrong, for tests that plant a fault. Changes when checks look at more.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { createServer as createTlsServer } from "node:https";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { systemClock } from "../core/clock.ts";
import { madeOnce } from "../core/load.ts";
import { compose } from "../credential/compose.ts";
import { openFiles, randomBytes } from "../credential/open-file-store.ts";
import { createBrowserSearch } from "../interaction/browser.ts";
import { createProcessLock } from "../lock/protocol.ts";
import type { Machine } from "../options/paths.ts";
import { resolveOptions } from "../options/resolve.ts";
import { systemKeychain } from "../store/keychain/keychain.ts";
import { worded } from "../core/wording.ts";
import type { CheckStatus, Scene } from "./check.ts";
import { checks } from "./checks.ts";
import { examine, type Examined } from "./examine.ts";
import { pasteable } from "./pasteable.ts";
import { reachProvider } from "./reach.ts";

/** What a provider of the tests answers with, and in which certificate. */
export interface PlayedProvider {
  readonly metadata?: object;
  readonly documentStatus?: number;
  readonly date?: string;
  /** Of its page to sign in. */
  readonly pageStatus?: number;
  readonly pageHeaders?: Readonly<Record<string, string>>;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Starts one; gives its issuer. It ends with the test. */
export async function playProvider(played: PlayedProvider = {}): Promise<string> {
  const answer = (path: string, response: ServerResponse): void => {
    if (played.date !== undefined) response.setHeader("date", played.date);
    if (path.startsWith("/authorize")) {
      response.writeHead(played.pageStatus ?? 200, played.pageHeaders ?? {}).end("<form>");
      return;
    }
    if (!path.startsWith("/.well-known/")) return void response.writeHead(404).end();
    const document = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
      code_challenge_methods_supported: ["S256"],
      ...played.metadata,
    };
    response.writeHead(played.documentStatus ?? 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document));
  };
  const server =
    played.tls === undefined
      ? createServer((request, response) => answer(request.url ?? "", response))
      : createTlsServer(played.tls, (request, response) => answer(request.url ?? "", response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const issuer = `${played.tls === undefined ? "http" : "https"}://127.0.0.1:${String(port)}`;
  return issuer;
}

/** A home folder of its own, with an empty folder for programs that is all of PATH. */
export interface PlayedMachine extends Machine {
  readonly homeDirectory: string;
  readonly programs: string;
  /** Puts a file there, below the home folder. */
  write(path: string, text: string, mode?: number): string;
}

/** Makes one; it goes with the test. */
export function playMachine(environment: Readonly<Record<string, string>> = {}): PlayedMachine {
  const homeDirectory = mkdtempSync(join(tmpdir(), "doctor-"));
  onTestFinished(() => rmSync(homeDirectory, { recursive: true, force: true }));
  const write: PlayedMachine["write"] = (path, text, mode = 0o600) => {
    const file = join(homeDirectory, path);
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, text, { mode });
    return file;
  };
  const programs = join(homeDirectory, "bin");
  mkdirSync(programs);
  return {
    platform: process.platform,
    homeDirectory,
    programs,
    workingDirectory: homeDirectory,
    environment: { HOME: homeDirectory, PATH: programs, USER: "alice", ...environment },
    write,
  };
}

/** Puts a program into PATH: a script of the shell. */
export function addProgram(machine: PlayedMachine, name: string, script = "exit 0"): void {
  machine.write(join("bin", name), `#!/bin/sh\n${script}\n`, 0o700);
}

/** What checks look at where nothing is wrong, with what a test changes. */
export function sceneOf(
  machine: PlayedMachine,
  given: Readonly<Record<string, unknown>>,
  changes: Partial<Scene> = {},
): Omit<Scene, "signal"> {
  const { environment } = machine;
  const options = resolveOptions({ callbackPort: 0, ...given }, "interactive");
  const signal = AbortSignal.timeout(30_000);
  const opened = compose(options, { environment, prompt: () => undefined });
  const folder = join(machine.homeDirectory, ".local", "state", "latchkey");
  return {
    machine,
    nodeVersion: process.versions.node,
    version: "1.0.0",
    options,
    fault: undefined,
    unknownVariables: [],
    now: () => Date.now(),
    randomBytes,
    absence: undefined,
    hasTerminal: true,
    whyNoBrowser: createBrowserSearch({
      environment: { ...environment, BROWSER: "browser" },
      platform: "linux",
      logger: undefined,
    }),
    addressesOf: () => Promise.resolve(["127.0.0.1", "::1"]),
    reach: madeOnce(() => reachProvider(options.issuer, opened.openRequests, signal)),
    describe: madeOnce(() => opened.describeProvider(signal, { anew: true })),
    readServer: () => Promise.resolve(undefined),
    requests: opened.openRequests,
    stateFolder: folder,
    store: openFiles({ folder, path: undefined, onWarning: () => undefined }),
    keychain: systemKeychain(() => Promise.reject(new Error("not installed"))),
    openLock: (onWarning) =>
      createProcessLock({ folder, clock: systemClock, randomBytes, onWarning }),
    servedHosts: () => ["git.example.com:443", "registry.example.com:443"],
    output: (name, words) =>
      new Promise((resolve) => {
        execFile(name, [...words], { env: { ...environment } }, (error, output) =>
          resolve(error === null ? output : undefined),
        );
      }),
    ...changes,
  };
}

// What a report must not hold: it stands in the secret, the password of the proxy and the kubeconfig.
export const canary = "hunter2-canary";

/** Where a fault is planted. */
export interface Site {
  machine: PlayedMachine;
  given: Record<string, unknown>;
  changes: Partial<Scene>;
}

/** A fault, the check that finds it, and what has to be said. */
export type Fault = readonly [
  fault: string,
  check: string,
  status: CheckStatus,
  remedy: RegExp,
  plant: (site: Site) => void | Promise<void>,
];

/** What the checks find, or the one that is named. */
export async function examined(
  { machine, given, changes }: Site,
  name?: string,
): Promise<readonly Examined[]> {
  const made = checks.filter((check) => name === undefined || check.name === name);
  return examine(made, sceneOf(machine, given, changes), AbortSignal.timeout(30_000));
}

/** The report, as it could be pasted somewhere. */
export function reportOf(found: readonly Examined[], machine: PlayedMachine): string {
  return found.map(({ said }) => pasteable(worded(said), machine)).join("\n");
}

/** Nothing in a report tells who made it, or what is secret. */
export function expectPasteable(report: string, machine: PlayedMachine): void {
  expect(report).not.toContain(canary);
  expect(report).not.toContain(machine.homeDirectory);
  expect(report).not.toContain("alice");
}

export function newSite(): Site {
  return { machine: playMachine(), given: { clientId: "cli", clientSecret: canary }, changes: {} };
}

/** Plants a fault; what the check that is to find it says. */
export async function lookFor([, name, , , plant]: Fault): Promise<{
  readonly status: CheckStatus | undefined;
  readonly said: string;
}> {
  const here = newSite();
  await plant(here);
  const found = await examined(here, name);
  expectPasteable(reportOf(found, here.machine), here.machine);
  const [finding, ...others] = found;
  expect(others).toEqual([]);
  return { status: finding?.status, said: worded(finding?.said ?? "") };
}

/** A port that is taken until it is closed. */
export async function freePort(): Promise<{ readonly port: number; readonly close: () => void }> {
  const server = createTcpServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
