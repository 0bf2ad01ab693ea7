// Checks of docker and of what reads its configuration: podman, skopeo, oras.

import { readFileSync } from "node:fs";
import { placeOf } from "../../helpers/place.ts";
import { failed, ok, skipped, warning, type Check, type Scene } from "../check.ts";
import { dockerConfigFile } from "../../setup/places.ts";
import { findProgram } from "../../setup/programs.ts";

const maxSeconds = 10;
const program = "docker-credential-latchkey";

function configOf(machine: Scene["machine"]): string | undefined {
  try {
    return readFileSync(dockerConfigFile(machine), "utf8");
  } catch {
    return undefined;
  }
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

const dockerConfig: Check = {
  name: "docker-config",
  area: "docker",
  maxSeconds,
  about: "credHelpers and credsStore of docker's config.json, the helper on PATH, and its servers",
  run({ machine, servedHosts }) {
    const text = configOf(machine);
    if (text === undefined) return skipped("docker has no config.json.");
    const config = parsed(text);
    if (config === undefined) {
      return failed("docker's config.json is not a JSON object.", "Correct it.");
    }
    const { credHelpers, credsStore } = config;
    const helpers = Object.entries(
      typeof credHelpers === "object" && credHelpers !== null ? credHelpers : {},
    );
    const servers = helpers.filter(([, helper]) => helper === "latchkey").map(([host]) => host);
    const isStore = credsStore === "latchkey";
    if (servers.length === 0 && !isStore) {
      return skipped("docker does not get its passwords from Latchkey (credHelpers).");
    }
    if (findProgram(program, machine) === undefined) {
      return failed(
        `docker asks Latchkey, and the program ${program} is not on PATH: it goes on without a password.`,
        "Put the folder of Latchkey's programs into PATH for whatever starts docker.",
      );
    }
    const served = servedHosts();
    const unserved = servers.filter((host) => !served.includes(placeOf(host) ?? ""));
    if (unserved.length > 0) {
      return failed(
        `docker asks Latchkey for ${unserved.slice(0, 5).join(", ")}, which has no table in the configuration file and so gets no token.`,
        `Add [server."${String(unserved[0])}"] with profile = "NAME" to it.`,
      );
    }
    if (isStore) {
      return warning(
        "Latchkey is credsStore, so that docker asks it for every server and keeps other passwords nowhere.",
        "Name the servers that it is for in credHelpers instead.",
      );
    }
    return ok(`docker asks Latchkey for ${servers.slice(0, 5).join(", ")}.`);
  },
};

/** docker. */
export const dockerChecks: readonly Check[] = [dockerConfig];
