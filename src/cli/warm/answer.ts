// The warm start: from arguments to output by the shortest way. Changes when a source of options is added.

import { agreesWithKey, cacheFileName, keyOptionsOfText, recordKey } from "../../record/key.ts";
import { warmArguments } from "./arguments.ts";
import { readConfiguration, readOwnFile } from "./files.ts";
import { warmEnvironment, type Given } from "./options.ts";
import { warmProfile } from "./profile.ts";
import { isFreshEnough, warmRecord, warmTimes } from "./record.ts";
import { tokenText } from "../token-text.ts";

/** What a warm start depends on. */
export interface WarmMachine {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
}

/** The folder that a variable names, else one below the home folder; undefined for one that the full program refuses. */
function folderOf(
  { environment, platform }: WarmMachine,
  variable: string,
  fallback: string,
): string | undefined {
  const home = environment["HOME"];
  const folder =
    platform === "linux" ? environment[variable] || (home && `${home}${fallback}`) : undefined;
  return folder?.startsWith("/") ? `${folder}/latchkey/` : undefined;
}

function cacheFile(given: Given, fileName: string, machine: WarmMachine): string | undefined {
  const path = given["cache-path"];
  if (path === undefined) {
    const folder = folderOf(machine, "XDG_STATE_HOME", "/.local/state");
    return folder && folder + fileName;
  }
  const home = machine.environment["HOME"];
  const absolute = path.startsWith("~/") && home ? home + path.slice(1) : path;
  // The full program resolves `..` by its letters, the system by what is there.
  return absolute.startsWith("/") && !absolute.includes("/..") ? absolute : undefined;
}

function configured(argumentList: readonly string[], machine: WarmMachine): Given | undefined {
  const typed = warmArguments(argumentList);
  const set = warmEnvironment(machine.environment);
  if (!typed || !set) return undefined;
  const given = { ...set, ...typed };
  const isNamed = given["issuer"] || given["client-id"] || given["server"];
  const name = given["profile"] ?? (isNamed ? undefined : "default");
  if (name === undefined) return given;
  const folder = folderOf(machine, "XDG_CONFIG_HOME", "/.config");
  const file = folder && readConfiguration(`${folder}config.toml`);
  const profile = file && warmProfile(name, file);
  return profile ? { ...profile, ...given } : undefined;
}

/**
 * The whole output for an argument list, or undefined where the full program has to look at it. What it throws means
 * the same: there is nothing, or nothing usual.
 */
export function warmAnswer(
  argumentList: readonly string[],
  machine: WarmMachine,
): string | undefined {
  const given = configured(argumentList, machine);
  if (given === undefined || /^(true|1)$/.test(given["force-login"] ?? "")) return undefined;
  // Where a keychain is demanded, plain text is refused; what is sealed elsewhere has no token in sight.
  if (given["storage"] === "keychain") return undefined;
  const kind = given["grant-type"] ? "client" : "interactive";
  const key = recordKey({ kind, options: keyOptionsOfText(given) });
  const path = cacheFile(given, cacheFileName(key), machine);
  const file = path && readOwnFile(path);
  const record = file ? warmRecord(file, key) : undefined;
  const access = record?.accessToken;
  // What a record says of itself has to agree with its key: one that was edited by hand does not (C16).
  const isNamed = (given["issuer"] && given["client-id"]) || given["server"];
  const isMeant = isNamed && record && agreesWithKey(record);
  if (!record || !access || !isMeant) return undefined;
  const { idToken } = record;
  const wantsIdToken = given["id-token"] === "true";
  const times = wantsIdToken ? warmTimes(idToken) : access;
  const seconds = Number(given["min-validity-seconds"] ?? 60);
  if (!times || !isFreshEnough(times, seconds, Date.now() / 1000)) return undefined;
  return tokenText(
    {
      token: wantsIdToken ? (idToken ?? "") : access.token,
      tokenType: "Bearer",
      expiresAt: times.expiresAt === null ? undefined : new Date(times.expiresAt * 1000),
      scopes: access.scopes,
      idToken,
      source: "cache",
    },
    {
      json: given["json"] === "true",
      header: given["header"] === "true",
      format: given["format"] ?? false,
    },
  );
}
