// Checks of kubectl: the exec plug-in of its kubeconfig, and the allow-list of its kuberc.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { failed, ok, skipped, warning, type Check, type Finding, type Scene } from "../check.ts";
import { findProgram } from "../../setup/programs.ts";

const maxSeconds = 15;
const maxFileCharacters = 1024 * 1024;
const versions = ["client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"];
const modes = ["Never", "IfAvailable", "Always"];
const ours = /(?:^|[/\\])(?:latchkey|kubectl-latchkey|kubectl-oidc_login)(?:\.\w+)?$/;

/** `users[].user.exec` of a kubeconfig, as far as it is looked at. */
interface ExecUser {
  readonly name: string;
  readonly command: string;
  readonly words: readonly string[];
  readonly apiVersion: unknown;
  readonly interactiveMode: unknown;
}

function object(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function execUsers(text: string): readonly ExecUser[] | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  return list(object(parsed)["users"]).flatMap((each) => {
    const { name, user } = object(each);
    const exec = object(object(user)["exec"]);
    if (typeof exec["command"] !== "string") return [];
    return [
      {
        name: String(name),
        command: exec["command"],
        words: list(exec["args"]).map(String),
        apiVersion: exec["apiVersion"],
        interactiveMode: exec["interactiveMode"],
      },
    ];
  });
}

/** Whether an exec user leads to Latchkey: by its own name, or by kubectl's way of finding plug-ins. */
function isOurs({ command, words }: ExecUser): boolean {
  return ours.test(command) || (/(?:^|[/\\])kubectl$/.test(command) && words[0] === "latchkey");
}

/** One user's, or undefined where nothing is wrong. */
function faultOf(user: ExecUser, { machine }: Scene): Finding | undefined {
  const where = `The user ${/^[\w.@:/-]{1,60}$/.test(user.name) ? user.name : "of the kubeconfig"}`;
  if (typeof user.apiVersion !== "string" || !versions.includes(user.apiVersion)) {
    return failed(
      `${where} has an exec plug-in with an apiVersion that no kubectl of today knows.`,
      `Set it to ${String(versions[0])}.`,
    );
  }
  const isModeNeeded = user.apiVersion === versions[0];
  const mode = user.interactiveMode;
  if (mode === undefined ? isModeNeeded : !(modes as readonly unknown[]).includes(mode)) {
    return failed(
      `${where} has an exec plug-in without a valid interactiveMode, which ${String(versions[0])} demands.`,
      "Set interactiveMode: IfAvailable.",
    );
  }
  if (findProgram(user.command, machine) === undefined) {
    return failed(
      `${where} has an exec plug-in whose command is not found (${user.command.slice(0, 200)}).`,
      "Write its whole path (command -v latchkey prints it), or put its folder into PATH for whatever starts kubectl.",
    );
  }
  if (mode === "Never") {
    return warning(
      `${where} has interactiveMode: Never, so that nobody is asked to sign in.`,
      "Set interactiveMode: IfAvailable, or sign in beforehand.",
    );
  }
  return undefined;
}

const kubeconfig: Check = {
  name: "kubeconfig",
  area: "kubectl",
  maxSeconds,
  about: "the exec plug-in of the kubeconfig: apiVersion, interactiveMode, and its command on PATH",
  async run(scene) {
    if (findProgram("kubectl", scene.machine) === undefined) {
      return skipped("kubectl is not on PATH.");
    }
    // It masks what is secret, and merges the files of KUBECONFIG.
    const text = await scene.output("kubectl", ["config", "view", "--output=json"]);
    const users = text === undefined ? undefined : execUsers(text);
    if (users === undefined) {
      return failed("kubectl cannot read its kubeconfig.", "See what it says: kubectl config view");
    }
    const own = users.filter(isOurs);
    if (own.length === 0) {
      return skipped(
        "No user of the kubeconfig gets its token from Latchkey (exec, command: latchkey).",
      );
    }
    const faults = own.map((user) => faultOf(user, scene)).filter((fault) => fault !== undefined);
    return (
      faults.find(({ status }) => status === "failed") ??
      faults[0] ??
      ok("Its exec plug-in is complete, and its command is found.")
    );
  },
};

function kubercOf({ environment, homeDirectory }: Scene["machine"]): string | undefined {
  const named = environment["KUBERC"];
  const path = named || (homeDirectory && join(homeDirectory, ".kube", "kuberc"));
  if (!path) return undefined;
  try {
    const text = readFileSync(path, "utf8");
    return text.length > maxFileCharacters ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * What the file says of plug-ins, line by line: a whole reader of YAML is not worth two keys.
 * @see https://kubernetes.io/docs/reference/kubectl/kuberc/
 */
export function refusedByKuberc(text: string): "all" | "unlisted" | undefined {
  const policy = /^\s*["']?credentialPluginPolicy["']?\s*:\s*["']?(\w+)/m.exec(text)?.[1];
  if (policy === "DenyAll") return "all";
  if (policy !== "Allowlist") return undefined;
  const commands = [...text.matchAll(/["']?(?:command|name)["']?\s*:\s*["']?([^\s"',}]+)/g)];
  const isListed = commands.some(([, command = ""]) => ours.test(command));
  return isListed ? undefined : "unlisted";
}

const kuberc: Check = {
  name: "kuberc",
  area: "kubectl",
  maxSeconds,
  about: "whether the kuberc of kubectl lets the plug-in run",
  run({ machine }) {
    const text = kubercOf(machine);
    if (text === undefined) return skipped("There is none.");
    const refused = refusedByKuberc(text);
    if (refused === undefined) return ok("It lets the plug-in run.");
    return failed(
      refused === "all"
        ? "It lets no credential plug-in run (credentialPluginPolicy: DenyAll)."
        : "Latchkey is not in its credentialPluginAllowlist.",
      "Add the whole path of the plug-in's command to credentialPluginAllowlist, with credentialPluginPolicy: Allowlist.",
    );
  },
};

/** kubectl. */
export const kubectlChecks: readonly Check[] = [kubeconfig, kuberc];
