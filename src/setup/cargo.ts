// cargo: a credential provider for one registry, which stands in its configuration already.

import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { placeOfUrl } from "../helpers/place.ts";
import { withKey } from "./ini.ts";
import { cargoConfigFile } from "./places.ts";
import { byHand, refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

type Table = Readonly<Record<string, unknown>>;

function table(value: unknown): Table {
  return typeof value === "object" && value !== null ? (value as Table) : {};
}

function parsed(text: string): Table | undefined {
  try {
    return structuredClone(parse(text));
  } catch {
    return undefined;
  }
}

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const { target: name } = input;
  if (name === undefined || !/^[A-Za-z][\w-]*$/.test(name)) {
    throw refuseSetup(
      "cargo is set up for a registry by its name in cargo's configuration.",
      "Name it: latchkey setup cargo REGISTRY",
    );
  }
  const { path, text: textBefore } = readConfiguration(cargoConfigFile(input.machine), "cargo");
  const before = parsed(textBefore ?? "");
  if (before === undefined) throw refuseSetup(`${path} is not valid TOML.`, "Correct it.");
  const registries = table(before["registries"]);
  const registry = table(registries[name]);
  const { index } = registry;
  const place = typeof index === "string" ? placeOfUrl(index.replace(/^sparse\+/, "")) : undefined;
  if (place === undefined) {
    throw refuseSetup(
      `${path} has no registry ${name} whose index gets a token.`,
      `Put it there first: [registries.${name}] with index = "sparse+https://…".`,
    );
  }
  const program = input.program("cargo-credential-latchkey");
  const provider = [program.isOnPath ? "cargo-credential-latchkey" : program.path];
  const value = JSON.stringify(provider);
  const known = registry["credential-provider"];
  const plan: Plan = { target: name, place, files: [], links: [], notes: [] };
  if (isDeepStrictEqual(known, provider)) return plan;
  const section = `registries.${name}`;
  const wanted = { section, key: "credential-provider", value };
  const edited = withKey(textBefore ?? "", wanted);
  const lines = `[${section}]\ncredential-provider = ${value}`;
  if (known !== undefined) {
    throw refuseSetup(
      `${path} names another credential-provider for ${name}.`,
      "Take it out, and run this again.",
    );
  }
  const after = {
    ...before,
    registries: { ...registries, [name]: { ...registry, "credential-provider": provider } },
  };
  if (edited.outcome !== "in" || !isDeepStrictEqual(parsed(edited.text), after)) {
    throw refuseSetup(`${path} is written in a way that cannot be changed safely.`, byHand(lines));
  }
  const { text, insertion } = edited;
  return { ...plan, files: [{ path, textBefore, text, shown: lines, insertions: [insertion] }] };
}
