// `latchkey trust`: what is remembered of servers that say which provider to sign in at.

import { composeTrust, type TrustParts } from "../../../credential/compose-trust.ts";
import { stateFolder } from "../../../options/paths.ts";
import { pinsNamed } from "../../../trust/named-pins.ts";
import type { CommandContext } from "../../context.ts";
import { accept } from "./accept.ts";
import { forgottenText, notRemembered, nothingTrusted, trustListText } from "../../render/trust.ts";
import { printableJson } from "../../token-text.ts";

async function openTrust(context: CommandContext): Promise<TrustParts> {
  const { world, options } = await context.open(false);
  return composeTrust(world, stateFolder(context.machine), options.callbackTimeoutSeconds);
}

async function list(context: CommandContext): Promise<number> {
  const { pins } = await openTrust(context);
  const known = (await pins.list()).toSorted((one, other) => other.pinnedAt - one.pinnedAt);
  if (context.line.flags["json"] === true) {
    const rows = known.map(
      ({ server, issuer, clientId, audience, scopes, acceptedBy, pinnedAt }) => ({
        server,
        issuer,
        clientId: clientId === "" ? null : clientId,
        audience: audience ?? null,
        scopes: scopes ?? null,
        acceptedBy,
        acceptedAt: new Date(pinnedAt).toISOString(),
      }),
    );
    context.print(`${printableJson(rows)}\n`);
    return 0;
  }
  if (known.length === 0) context.tell(nothingTrusted);
  else context.print(`${trustListText(known, new Date(), context.columns)}\n`);
  return 0;
}

async function forget(context: CommandContext): Promise<number> {
  const { pins } = await openTrust(context);
  const name = context.line.arguments["server"] ?? "";
  const named = pinsNamed(name, await pins.list());
  for (const { server } of named) {
    // Whatever it is by now: to forget is meant for all of it.
    while (!(await pins.replace(server, await pins.read(server), undefined))) {
      context.signal.throwIfAborted();
    }
  }
  context.tell(named.length === 0 ? notRemembered(name) : forgottenText(named));
  return 0;
}

/** The subcommands, by name. */
const subcommands: Readonly<Record<string, (context: CommandContext) => Promise<number>>> = {
  list,
  accept,
  forget,
};

/** Runs the subcommand that was typed. */
export async function run(context: CommandContext): Promise<number> {
  const { subcommand = "" } = context.line;
  const chosen = subcommands[subcommand];
  if (chosen === undefined) throw new TypeError(`No command trust ${subcommand}.`);
  return chosen(context);
}
