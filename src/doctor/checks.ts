// Every check, in the order of the report. Changes when a check is added.

import type { Check, CheckArea } from "./check.ts";
import { machineChecks } from "./machine.ts";
import { networkChecks } from "./network.ts";
import { providerChecks } from "./provider.ts";
import { pageChecks } from "./sign-in-page.ts";
import { storageChecks } from "./storage.ts";
import { cargoChecks } from "./tools/cargo.ts";
import { dockerChecks } from "./tools/docker.ts";
import { gitChecks } from "./tools/git.ts";
import { kubectlChecks } from "./tools/kubectl.ts";

/** The table of checks. */
export const checks: readonly Check[] = [
  ...machineChecks,
  ...storageChecks,
  ...networkChecks,
  ...providerChecks,
  ...pageChecks,
  ...kubectlChecks,
  ...gitChecks,
  ...dockerChecks,
  ...cargoChecks,
];

/** Tools with a configuration of their own that is looked at. */
export const checkedTools: readonly CheckArea[] = ["kubectl", "git", "docker", "cargo"];

/** A tool's checks alone, or all of them. */
export function checksFor(subject: string | undefined): readonly Check[] {
  const tool = checkedTools.find((name) => name === subject);
  return tool === undefined ? checks : checks.filter(({ area }) => area === tool);
}
