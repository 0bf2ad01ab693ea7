// Whose token goes to a server that an address names: the sign-in that is configured, or the one that was made for it.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { shownServer } from "../core/server-words.ts";
import type { GetTokenOptions } from "../core/types.ts";
import { tokenRequestOf } from "./cached-token.ts";
import type { CommandContext, Opened } from "./context.ts";

/** A token that was obtained for one server is not sent to another. @throws {OidcError} `invalid_option`. */
function assertSameServer({ options: { server } }: Opened, url: URL): void {
  if (typeof server !== "string") return;
  const named = URL.parse(server.replace(/^grpc/i, "http"));
  if (named?.origin === url.origin) return;
  throw new OidcError(
    "invalid_option",
    `This sign-in is for ${shownServer(server)}, and the request is for ${hostAndPort(url)}: a token that was obtained for one server is not sent to another.`,
    { remedy: "Name another sign-in with --profile, or none." },
  );
}

/** What flags ask of a token; that it be renewed, of the first one alone. */
export function wishOf({ line, settings }: CommandContext): () => GetTokenOptions {
  const { forceRefresh: isForced, ...asked } = tokenRequestOf(line.flags, settings.interactive);
  let forceRefresh = isForced;
  return () => {
    const wish = { ...asked, forceRefresh };
    forceRefresh = false;
    return wish;
  };
}

/** A sign-in that `latchkey login --server` made for the server of an address. */
async function signInFor(
  { settings, openFor }: CommandContext,
  { options: { clientSecret } }: Opened,
  url: URL,
): Promise<Opened | undefined> {
  for (const server of new Set([`${url.origin}${url.pathname}`, url.origin])) {
    // A secret that was read is not read again: standard input would be at its end.
    const secret = clientSecret === undefined ? {} : { clientSecret };
    const given = { ...settings.given, ...secret, server };
    const opened = await openFor({ ...settings, given, clientSecretFile: undefined }, true);
    if ((await opened.session.current()) !== undefined) return opened;
  }
  return undefined;
}

/** Whether the settings say who issues the tokens. */
export function namesProvider({ settings }: CommandContext, { options }: Opened): boolean {
  return options.issuer !== "" || options.server !== undefined || settings.kind === "client";
}

/**
 * The sign-in that is configured, or the one that was made for the server; undefined where there is neither.
 * @throws {OidcError} `invalid_option`: it is for another server.
 */
export async function openForServer(
  context: CommandContext,
  opened: Opened,
  url: URL,
): Promise<Opened | undefined> {
  if (namesProvider(context, opened)) {
    assertSameServer(opened, url);
    return opened;
  }
  const known = await signInFor(context, opened, url);
  context.nameSignIn([...context.line.configuration, `--server=${url.origin}`]);
  return known;
}
