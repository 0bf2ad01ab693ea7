// Where each tool has the configuration of a user. Changes when a tool looks elsewhere.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Machine } from "../options/paths.ts";
import { refuseSetup } from "./tool-setup.ts";

/** A path below the home folder. @throws {OidcError} `invalid_option`: no home folder is known. */
export function belowHome({ homeDirectory }: Machine, ...path: readonly string[]): string {
  if (!homeDirectory) throw refuseSetup("The home folder is not known.", "Set HOME.");
  return join(homeDirectory, ...path);
}

/** git's own file of the user: https://git-scm.com/docs/git-config#FILES */
export function gitConfigFile(machine: Machine): string {
  const named = machine.environment["GIT_CONFIG_GLOBAL"];
  if (named) return named;
  const usual = belowHome(machine, ".gitconfig");
  const base = machine.environment["XDG_CONFIG_HOME"] || belowHome(machine, ".config");
  const other = join(base, "git", "config");
  return !existsSync(usual) && existsSync(other) ? other : usual;
}

/** docker's, which podman, skopeo and oras read too. */
export function dockerConfigFile(machine: Machine): string {
  return join(machine.environment["DOCKER_CONFIG"] || belowHome(machine, ".docker"), "config.json");
}

/** The kubeconfig files, in the order in which kubectl merges them. */
export function kubeconfigFiles(machine: Machine): readonly string[] {
  const named = (machine.environment["KUBECONFIG"] ?? "").split(delimiter).filter(Boolean);
  return named.length > 0 ? [...new Set(named)] : [belowHome(machine, ".kube", "config")];
}
