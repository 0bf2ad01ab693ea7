// Faults in the configuration of tools, planted on purpose: each is found, and what to do is named.
import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checksFor, checkedTools } from "../checks.ts";
import {
  addProgram,
  canary,
  examined,
  lookFor,
  expectPasteable,
  newSite,
  playProvider,
  reportOf,
  type Fault,
  type PlayedMachine,
  type Site,
} from "../testing.ts";

function realGit(machine: PlayedMachine, configuration: string): void {
  const git = execFileSync("sh", ["-c", "command -v git"], { encoding: "utf8" }).trim();
  symlinkSync(git, join(machine.programs, "git"));
  machine.write(".gitconfig", configuration);
  addProgram(machine, "git-credential-latchkey");
}

function kubeconfig(machine: PlayedMachine, exec: object): void {
  const config = {
    users: [
      { name: "other", user: { token: canary } },
      { name: "me", user: { exec: { command: "latchkey", args: [], ...exec } } },
    ],
  };
  machine.write("kubeconfig.json", `${JSON.stringify(config)}\n`);
  // What `kubectl config view --output=json` prints of it.
  addProgram(
    machine,
    "kubectl",
    `while read -r line; do echo "$line"; done < "$HOME/kubeconfig.json"`,
  );
  addProgram(machine, "latchkey");
}

const plugIn = {
  apiVersion: "client.authentication.k8s.io/v1",
  interactiveMode: "IfAvailable",
  command: "latchkey",
};

function docker(machine: PlayedMachine, config: object): void {
  machine.write(".docker/config.json", JSON.stringify(config));
}

const faults: readonly Fault[] = [
  [
    "a kubeconfig for an older kubectl",
    "kubeconfig",
    "failed",
    /k8s\.io\/v1/,
    ({ machine }) => {
      kubeconfig(machine, { ...plugIn, apiVersion: "client.authentication.k8s.io/v1alpha1" });
    },
  ],
  [
    "a kubeconfig without interactiveMode",
    "kubeconfig",
    "failed",
    /interactiveMode: IfAvailable/,
    ({ machine }) => {
      kubeconfig(machine, { ...plugIn, interactiveMode: undefined });
    },
  ],
  [
    "a plug-in that is not on PATH",
    "kubeconfig",
    "failed",
    /Write its whole path/,
    ({ machine }) => {
      kubeconfig(machine, { ...plugIn, command: "/opt/none/latchkey" });
    },
  ],
  [
    "a plug-in that may not ask",
    "kubeconfig",
    "warning",
    /interactiveMode: IfAvailable/,
    ({ machine }) => {
      kubeconfig(machine, { ...plugIn, interactiveMode: "Never" });
    },
  ],
  [
    "a kuberc that lists others",
    "kuberc",
    "failed",
    /credentialPluginAllowlist/,
    ({ machine }) => {
      machine.write(
        ".kube/kuberc",
        "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\ncredentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n  - command: /usr/bin/other\n",
      );
    },
  ],
  [
    "a kuberc that lets none run",
    "kuberc",
    "failed",
    /credentialPluginAllowlist/,
    ({ machine }) => {
      machine.write(".kube/kuberc", "credentialPluginPolicy: DenyAll\n");
    },
  ],
  [
    "another git helper before ours",
    "gitconfig",
    "warning",
    /\(store\).*empty helper/,
    ({ machine }) => {
      realGit(machine, "[credential]\n\thelper = store\n\thelper = latchkey\n");
    },
  ],
  [
    "an empty git helper behind ours",
    "gitconfig",
    "failed",
    /Move it behind/,
    ({ machine }) => {
      realGit(machine, "[credential]\n\thelper = latchkey\n\thelper =\n");
    },
  ],
  [
    "useHttpPath",
    "gitconfig",
    "warning",
    /Unset it/,
    ({ machine }) => {
      realGit(machine, "[credential]\n\thelper = latchkey\n\tuseHttpPath = true\n");
    },
  ],
  [
    "git's helper without a host",
    "gitconfig",
    "warning",
    /\[server\."git\.example\.com"\]/,
    ({ machine, changes }) => {
      realGit(machine, "[credential]\n\thelper = latchkey\n");
      Object.assign(changes, { servedHosts: () => [] });
    },
  ],
  [
    "docker's helper that is not on PATH",
    "docker-config",
    "failed",
    /into PATH/,
    ({ machine }) => {
      docker(machine, { credHelpers: { "registry.example.com": "latchkey" } });
    },
  ],
  [
    "a registry without a profile",
    "docker-config",
    "failed",
    /\[server\."other\.example\.com"\]/,
    ({ machine }) => {
      addProgram(machine, "docker-credential-latchkey");
      docker(machine, { credHelpers: { "other.example.com": "latchkey" } });
    },
  ],
  [
    "Latchkey as docker's only store",
    "docker-config",
    "warning",
    /credHelpers/,
    ({ machine }) => {
      addProgram(machine, "docker-credential-latchkey");
      docker(machine, { credsStore: "latchkey" });
    },
  ],
  [
    "cargo's provider that is not found",
    "cargo-config",
    "failed",
    /cargo-credential-latchkey/,
    ({ machine }) => {
      machine.write(
        ".cargo/config.toml",
        '[registries.work]\ncredential-provider = ["/opt/none/cargo-credential-latchkey"]\n',
      );
    },
  ],
];

/** The machine and the provider of the tests, with tools that are set up as they should be. */
async function healthy(): Promise<Site> {
  const { machine, given, changes } = newSite();
  given["issuer"] = await playProvider();
  addProgram(machine, "browser");
  realGit(machine, "[credential]\n\thelper =\n\thelper = latchkey\n");
  kubeconfig(machine, plugIn);
  machine.write(
    ".kube/kuberc",
    "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n  - command: latchkey\n",
  );
  addProgram(machine, "docker-credential-latchkey");
  docker(machine, { credHelpers: { "registry.example.com": "latchkey" } });
  addProgram(machine, "cargo-credential-latchkey");
  machine.write(
    ".cargo/config.toml",
    '[registry]\nglobal-credential-providers = ["cargo-credential-latchkey"]\n',
  );
  return { machine, given, changes };
}

test("where nothing is wrong, nothing is found", async () => {
  const here = await healthy();
  const found = await examined(here);
  expectPasteable(reportOf(found, here.machine), here.machine);
  const others = found.filter(({ status }) => status !== "ok");
  // An http: issuer on this machine has no certificate, no server is named, and the keychain is not used.
  expect(others.map(({ name, status }) => `${name} ${status}`)).toEqual([
    "keychain skipped",
    "server skipped",
    "tls skipped",
  ]);
});

test.each(faults.map((fault) => ({ fault })))("$fault.0 is found", async ({ fault }) => {
  const [, , status, remedy] = fault;
  const said = expect.stringMatching(remedy) as unknown;
  expect(await lookFor(fault)).toEqual({ status, said });
});

test("every check has a fault that it finds", () => {
  const found = new Set(faults.map(([, name]) => name));
  expect(
    checkedTools
      .flatMap((tool) => checksFor(tool))
      .filter(({ name }) => !found.has(name))
      .map(({ name }) => name),
  ).toEqual([]);
});
