// `latchkey whoami`: who signed in. Changes when that command does.

import { shownServer } from "../../../core/server-words.ts";
import type { ResolvedOptions } from "../../../options/types.ts";
import { OidcError } from "../../../core/errors.ts";
import type { IdTokenClaims } from "../../../core/types.ts";
import { signInAnew } from "../../../core/wording.ts";
import type { UserInfoClaims } from "../../../session/session-types.ts";
import type { CommandContext } from "../../context.ts";
import { identityText } from "../../render/identity.ts";
import { issuerHost } from "../../render/texts.ts";
import { requireIssuer } from "../../requirements.ts";
import { printableJson } from "../../token-text.ts";

interface Identity {
  readonly claims: IdTokenClaims | UserInfoClaims | Readonly<Record<string, unknown>>;
  /** What the person is called, where the claims name nobody. */
  readonly name: string | undefined;
}

/** A client is who it says it is once the provider has taken its credentials: a cached token, or a new one. */
async function clientIdentity(context: CommandContext): Promise<Identity> {
  const { session, options } = await context.open(true);
  await session.getToken({ signal: context.signal });
  // A server may have named them.
  const { issuer, clientId } = (await session.current()) ?? options;
  return { claims: { iss: issuer, client_id: clientId }, name: undefined };
}

function whereTo({ issuer, server }: ResolvedOptions): string {
  if (issuer !== "") return `to ${issuerHost(issuer)}`;
  return typeof server === "string" ? `for ${shownServer(server)}` : "";
}

async function identity(context: CommandContext): Promise<Identity> {
  if (context.settings.kind === "client") return clientIdentity(context);
  const { session, options } = await context.open(true);
  requireIssuer(options);
  const record = await session.current();
  if (record === undefined || (record.accessToken === null && record.refreshToken === undefined)) {
    throw new OidcError(
      "login_required",
      `Nobody is signed in ${whereTo(options)} with these options.`,
      { reason: "no_token", remedy: [signInAnew] },
    );
  }
  const claims =
    (await session.claims()) ??
    (await session.userInfo({ signal: context.signal, interactive: false }));
  const { displayName, subject } = record;
  return { claims, name: displayName === subject ? undefined : displayName };
}

/** Prints the identity: the claims of the ID token, or of the userinfo endpoint where there is none. Never prompts. */
export async function run(context: CommandContext): Promise<number> {
  const { claims, name } = await identity(context);
  context.print(
    context.line.flags["json"] === true
      ? `${printableJson(claims)}\n`
      : `${identityText(claims, context.columns, name)}\n`,
  );
  return 0;
}
