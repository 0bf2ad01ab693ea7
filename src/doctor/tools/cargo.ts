// Checks of cargo: whether a credential provider of its configuration is Latchkey, and can be started.

import { readFileSync } from "node:fs";
import { parse } from "smol-toml";
import { failed, ok, skipped, type Check, type Scene } from "../check.ts";
import { cargoConfigFile } from "../../setup/places.ts";
import { findProgram } from "../../setup/programs.ts";

const maxSeconds = 10;
const program = "cargo-credential-latchkey";

function configOf(machine: Scene["machine"]): string | undefined {
  try {
    return readFileSync(cargoConfigFile(machine), "utf8");
  } catch {
    return undefined;
  }
}

function table(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** A provider is a text with words, or a list of them. */
function wordsOf(provider: unknown): readonly string[] {
  if (typeof provider === "string") return provider.split(/\s+/);
  return Array.isArray(provider) ? provider.map(String) : [];
}

function providersIn(config: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  const registry = table(config["registry"]);
  const global = registry["global-credential-providers"];
  const single = Object.values(table(config["registries"])).map(
    (each) => table(each)["credential-provider"],
  );
  return [registry["credential-provider"], ...(Array.isArray(global) ? global : []), ...single]
    .map(wordsOf)
    .filter((words) => words.length > 0);
}

const cargoConfig: Check = {
  name: "cargo-config",
  area: "cargo",
  maxSeconds,
  about: "the credential provider of cargo's configuration, and its program on PATH",
  run({ machine }) {
    const text = configOf(machine);
    if (text === undefined) return skipped("cargo has no configuration file.");
    let config: Readonly<Record<string, unknown>>;
    try {
      config = parse(text);
    } catch {
      return failed("cargo's configuration file is not valid TOML.", "Correct it.");
    }
    const ours = providersIn(config).filter(([first = ""]) => /(?:^|[/\\-])latchkey$/.test(first));
    const [first] = ours;
    if (first === undefined) {
      return skipped("cargo does not get its tokens from Latchkey (credential-provider).");
    }
    // A name without a path is looked for as it stands.
    const [command = program] = first;
    if (findProgram(command, machine) === undefined) {
      return failed(
        `cargo asks Latchkey, and ${command.slice(0, 200)} is not found.`,
        `Name ${program}, with its whole path where its folder is not in PATH.`,
      );
    }
    return ok("cargo asks Latchkey.");
  },
};

/** cargo. */
export const cargoChecks: readonly Check[] = [cargoConfig];
