// pnpm: the command that gives the token for one registry, in the user's own configuration.

import { placeOfUrl } from "../helpers/place.ts";
import { appended } from "./lines.ts";
import { npmConfigFile } from "./places.ts";
import { refuseSetup, type Plan, type SetupInput } from "./tool-setup.ts";
import { readConfiguration } from "./user-configuration.ts";

/** The registry as pnpm names it in its keys: `//host/path/`. */
function registryNamed(target: string | undefined): string {
  const address = target === undefined || target.includes("://") ? target : `https://${target}`;
  if (address === undefined || placeOfUrl(address) === undefined || /[?#=\s]/.test(address)) {
    throw refuseSetup(
      "pnpm is set up for a registry.",
      "Name it: latchkey setup pnpm HOST, or the whole address. http: counts on this machine alone.",
    );
  }
  return `${address.replace(/^[a-z]+:/i, "").replace(/\/$/, "")}/`;
}

/** Plans it. @throws {OidcError} `invalid_option`. */
export function planSetup(input: SetupInput): Plan {
  const registry = registryNamed(input.target);
  const { path, text: textBefore } = readConfiguration(npmConfigFile(input.machine), "pnpm");
  const program = input.program("latchkey").path;
  // pnpm takes no quotes, and splits at spaces.
  if (!/^\/[\w./@+-]+$/.test(program)) {
    throw refuseSetup(
      `pnpm cannot start ${program}: it takes no spaces and no quotes.`,
      "Put a link to it into another folder of PATH.",
    );
  }
  const key = `${registry}:tokenHelper`;
  const value = `${program} token --profile=${input.profile}`;
  const line = `${key}=${value}`;
  const entries = (textBefore ?? "").split("\n").map((each) => each.trim().split(/\s*=\s*(.*)/s));
  const known = entries.find(([name]) => name === key);
  const hasToken = entries.some(([name]) => name === `${registry}:_authToken`);
  const plan: Plan = {
    target: registry.slice(2, -1),
    place: undefined,
    files: [],
    links: [],
    notes: hasToken ? [`${path} has a fixed token for this registry, too: take it out.`] : [],
  };
  if (known?.[1] === value) return plan;
  if (known !== undefined) {
    throw refuseSetup(
      `${path} names another tokenHelper for this registry.`,
      "Take it out, and run this again.",
    );
  }
  const { text, insertion } = appended(textBefore ?? "", [line]);
  return { ...plan, files: [{ path, textBefore, text, shown: line, insertions: [insertion] }] };
}
