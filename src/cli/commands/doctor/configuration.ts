// What the doctor looks at, from flags, environment, profile and what was typed; a fault in them is one of its findings.

import { isErrorOf, isOidcError, OidcError } from "../../../core/errors.ts";
import { loadPart } from "../../../core/load.ts";
import { checkedTools } from "../../../doctor/checks.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { mayHaveProfile, readSettings, type Settings } from "../../settings.ts";

/** What is configured, and what is wrong with it. */
export interface Configured {
  readonly settings: Settings;
  readonly fault: OidcError | undefined;
}

const nothing: Settings = {
  given: {},
  profile: undefined,
  named: "nothing",
  kind: "interactive",
  interactive: undefined,
  clientSecretFile: undefined,
};

async function readAll(context: CommandContext): Promise<Configured> {
  const { line, machine } = context;
  try {
    const profiles = mayHaveProfile(line, machine)
      ? await loadPart(() => import("../../profile.ts"))
      : undefined;
    const settings = readSettings(line, machine, profiles);
    context.peekFor(settings);
    return { settings, fault: undefined };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { settings: nothing, fault: error };
  }
}

/** Where nothing names a provider: the only sign-in that is cached. With several, none of them is meant. */
async function withCached(context: CommandContext, settings: Settings): Promise<Settings> {
  const { withOnlySignIn } = await loadPart(() => import("../../sign-ins.ts"));
  try {
    const chosen = await withOnlySignIn(settings, {
      machine: context.machine,
      open: context.openFor,
      tell: () => undefined,
      tellOnTerminal: (text) => context.tell(text),
    });
    return chosen?.settings ?? settings;
  } catch (error) {
    // A cache that cannot be read is the finding of its own check.
    if (!isOidcError(error)) throw error;
    return settings;
  }
}

/** The address that was typed; undefined where none was. @throws {OidcError} `invalid_option`. */
function addressOf(subject: string | undefined): string | undefined {
  if (subject === undefined || checkedTools.some((tool) => tool === subject)) return undefined;
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(subject) ? subject : `https://${subject}`;
  if (/[.:[]/.test(subject) && URL.canParse(address)) return address;
  throw new OidcError("invalid_option", "This is neither an address nor a tool that is known.", {
    remedy: `Accepted: https://…, a host, ${checkedTools.join(", ")}.`,
  });
}

/** The options for another provider than the configured one: what was typed alone. */
function settingsAt({ line }: CommandContext, settings: Settings, own: object): Settings {
  const { issuer } = settings.given;
  const isConfigured = "issuer" in own && own.issuer === issuer;
  const given = { ...(isConfigured ? settings.given : line.options), ...own };
  return { ...settings, given, clientSecretFile: undefined };
}

/** Whether there is no document for an issuer at an address, so that it may be a server's. */
async function hasNoDocument(opened: Opened, signal: AbortSignal): Promise<boolean> {
  try {
    await opened.describeProvider(signal);
    return false;
  } catch (error) {
    return isErrorOf(error, "discovery_failed", "not_found");
  }
}

/** What to look at. @throws {OidcError} `invalid_option`, `insecure_url`: the address that was typed. */
export async function configured(context: CommandContext): Promise<Configured> {
  const { line, signal } = context;
  const address = addressOf(line.arguments["subject"]);
  const { settings, fault } = await readAll(context);
  if (address === undefined) {
    const isUnnamed = fault === undefined && settings.named === "nothing";
    return { settings: isUnnamed ? await withCached(context, settings) : settings, fault };
  }
  if (!/^grpcs?:/i.test(address)) {
    const atIssuer = settingsAt(context, settings, { issuer: address });
    if (!(await hasNoDocument(await context.openFor(atIssuer, false), signal))) {
      return { settings: atIssuer, fault };
    }
  }
  return { settings: settingsAt(context, settings, { server: address }), fault };
}
