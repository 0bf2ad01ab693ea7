// `latchkey logout`: forgets sign-ins, and tells the provider where asked. Changes when that command does.

import { isatty } from "node:tty";
import { isOidcError } from "../../../core/errors.ts";
import { loadPart } from "../../../core/load.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { allLoggedOutText, loggedOutText, logoutPagesText } from "../../render/texts.ts";
import { requireIssuer } from "../../requirements.ts";

async function openPage(
  context: CommandContext,
  { world, options }: Opened,
  logoutUrl: string,
  idToken: string | undefined,
): Promise<boolean> {
  const { openLogoutPage } = await loadPart(() => import("./open-page.ts"));
  const command = options.browserCommand;
  return openLogoutPage(world, { logoutUrl, idToken, command }, context.signal);
}

/** Forgets the sign-in of this configuration, or all of this cache. */
export async function run(context: CommandContext): Promise<number> {
  const { flags } = context.line;
  const revoke = flags["revoke"] === true;
  if (flags["all"] === true) {
    const { forgetAll } = await loadPart(() => import("./forget-all.ts"));
    const result = await forgetAll(context, revoke);
    context.tell(allLoggedOutText(result));
    // Shown alone: as many windows as there are providers would be an answer to a question that nobody asked.
    if (result.logoutUrls.length > 0) context.tell(logoutPagesText(result.logoutUrls, false));
    return result.failed.length === 0 ? 0 : 1;
  }
  const opened = await context.open(revoke);
  const { session, options, world } = opened;
  requireIssuer(options);
  // To be shown alone: what cannot be read can be deleted all the same.
  const record = await session.current().catch((error: unknown) => {
    if (isOidcError(error)) return undefined;
    throw error;
  });
  const result = await session.logout({ revoke });
  context.tell(loggedOutText(record, result, new Date(world.clock.now())));
  const { logoutUrl } = result;
  if (logoutUrl !== undefined) {
    const mayOpen = options.openBrowser && isatty(0) && isatty(2);
    const isOpened = mayOpen && (await openPage(context, opened, logoutUrl, record?.idToken));
    context.tell(logoutPagesText([logoutUrl], isOpened));
  }
  return result.revoked === "failed" ? 1 : 0;
}
