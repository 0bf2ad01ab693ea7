// `latchkey trust accept`: asks a server which provider to use, and lets a person, or what flags say, accept the answer.

import { OidcError } from "../../../core/errors.ts";
import type { TrustedAnswer } from "../../../core/prompt.ts";
import { composeTrust } from "../../../credential/compose-trust.ts";
import { stateFolder } from "../../../options/paths.ts";
import { optionTable } from "../../../options/table.ts";
import { validateOption } from "../../../options/validate.ts";
import { unsaidOf, type SaidAnswer } from "../../../trust/said-answer.ts";
import { admitServerConfig, type TrustAsk } from "../../../trust/server-trust.ts";
import type { CommandContext } from "../../context.ts";
import {
  acceptedText,
  acceptedBeforeText,
  acceptWithoutTerminal,
  notWhatFlagsSay,
} from "../../render/trust.ts";
import type { Settings } from "../../settings.ts";

/** `data.example.com` is `https://data.example.com`. @throws {OidcError} `invalid_option`, `insecure_url`. */
function addressOf(typed: string): string {
  const address = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`;
  const row = optionTable.find(({ name }) => name === "server");
  if (row === undefined) throw new TypeError("There is no option server.");
  return String(validateOption(row, address, { allowInsecureHttp: false }, "SERVER"));
}

/**
 * What the server is asked with, whatever environment or profile say in its place. The issuer of a flag picks among
 * several that a server names.
 */
function settingsFor({ settings, line }: CommandContext, server: string): Settings {
  const {
    issuer: _1,
    clientId: _2,
    scopes: _3,
    audience: _4,
    clientSecret: _5,
    ...rest
  } = settings.given;
  const { issuer } = line.options;
  return {
    ...settings,
    given: { ...rest, server, ...(issuer === undefined ? {} : { issuer }) },
    kind: "interactive",
    clientSecretFile: undefined,
  };
}

/** What was typed behind `--yes`: environment and profile are not said on this occasion. */
function saidBy(options: Readonly<Record<string, unknown>>): SaidAnswer {
  const { issuer, clientId, audience, scopes } = options;
  const text = (value: unknown): string | undefined =>
    typeof value === "string" ? value : undefined;
  return {
    issuer: text(issuer),
    clientId: text(clientId),
    audience: text(audience),
    scopes: Array.isArray(scopes) ? scopes.map(String) : undefined,
  };
}

/** Answers as the flags say, or fails with what they would have to say. */
function askFlags(said: SaidAnswer): TrustAsk {
  return ({ server, ...answer }) => {
    const parts = unsaidOf(said, answer);
    if (parts.length > 0) throw unsaid(server, answer, notWhatFlagsSay(parts));
    return Promise.resolve(true);
  };
}

function unsaid(server: string, answer: TrustedAnswer, why: string): OidcError {
  const { summary, remedy } = acceptWithoutTerminal(server, answer, why);
  return new OidcError("issuer_untrusted", summary, { remedy });
}

/** Accepts what a server says now. */
export async function accept(context: CommandContext): Promise<number> {
  const { line, machine, signal } = context;
  const address = addressOf(line.arguments["server"] ?? "");
  const { world, options, readServer } = await context.openFor(
    settingsFor(context, address),
    false,
  );
  const seconds = options.callbackTimeoutSeconds;
  const { pins, ask: askPerson } = composeTrust(world, stateFolder(machine), seconds);
  const { source, said } = await readServer(signal);
  let isAsked = false;
  const ask: TrustAsk =
    line.flags["yes"] === true
      ? askFlags(saidBy(line.options))
      : (askPerson ??
        (({ server, ...answer }) => {
          throw unsaid(server, answer, "It is asked on a terminal alone.");
        }));
  try {
    await admitServerConfig(said, {
      server: source.server,
      host: source.host,
      isVerified: true,
      policy: "ask",
      callerIssuer: "",
      callerClientId: "",
      pins,
      ask: (...question) => {
        isAsked = true;
        return ask(...question);
      },
      // None that is accepted here is more than the server names.
      scopes: said.scopes ?? [],
      signal,
      mustBeKept: true,
    });
  } finally {
    world.prompt({ type: "settled" });
  }
  context.tell(isAsked ? acceptedText(source.server, said) : acceptedBeforeText(source.server));
  return 0;
}
