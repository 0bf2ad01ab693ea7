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

/** cargo's of the user: https://doc.rust-lang.org/cargo/reference/config.html */
export function cargoConfigFile(machine: Machine): string {
  const folder = machine.environment["CARGO_HOME"] || belowHome(machine, ".cargo");
  const [usual, older] = [join(folder, "config.toml"), join(folder, "config")];
  return !existsSync(usual) && existsSync(older) ? older : usual;
}

/** The user's, which npm and pnpm read. */
export function npmConfigFile(machine: Machine): string {
  const { environment } = machine;
  const named = environment["npm_config_userconfig"] || environment["NPM_CONFIG_USERCONFIG"];
  return named || belowHome(machine, ".npmrc");
}

/** pip's of the user: https://pip.pypa.io/en/stable/topics/configuration/ */
export function pipConfigFile(machine: Machine): string {
  const { environment, platform } = machine;
  if (environment["PIP_CONFIG_FILE"]) return environment["PIP_CONFIG_FILE"];
  const mac = platform === "darwin" ? belowHome(machine, "Library", "Application Support") : "";
  const base = environment["XDG_CONFIG_HOME"] || belowHome(machine, ".config");
  const usual = join(mac !== "" && existsSync(join(mac, "pip")) ? mac : base, "pip", "pip.conf");
  const older = belowHome(machine, ".pip", "pip.conf");
  return !existsSync(usual) && existsSync(older) ? older : usual;
}

/** Bazel's of the user. */
export function bazelConfigFile(machine: Machine): string {
  return belowHome(machine, ".bazelrc");
}

/** Terraform's of the user: https://developer.hashicorp.com/terraform/cli/config/config-file */
export function terraformConfigFile(machine: Machine): string {
  const { environment } = machine;
  const named = environment["TF_CLI_CONFIG_FILE"] || environment["TERRAFORM_CONFIG"];
  return named || belowHome(machine, ".terraformrc");
}

/** Where Terraform looks for helpers. */
export function terraformPluginFolder(machine: Machine): string {
  return belowHome(machine, ".terraform.d", "plugins");
}

/** The configuration of AWS's tools and libraries. */
export function awsConfigFile(machine: Machine): string {
  return machine.environment["AWS_CONFIG_FILE"] || belowHome(machine, ".aws", "config");
}

/** The credentials of an application, where Google's libraries look for them. */
export function googleCredentialsFile(machine: Machine): string {
  const { environment } = machine;
  const named = environment["GOOGLE_APPLICATION_CREDENTIALS"];
  const folder = environment["CLOUDSDK_CONFIG"] || belowHome(machine, ".config", "gcloud");
  return named || join(folder, "application_default_credentials.json");
}
