// `latchkey logout`: forgets sign-ins, and tells the provider where asked. Changes when that command does.

import { isatty } from "node:tty";
import { loadPart } from "../../core/load.ts";
import type { CommandContext } from "../context.ts";
import { allLoggedOutText, loggedOutText, logoutPagesText } from "../render/texts.ts";
import { requireIssuer } from "../requirements.ts";

/** Forgets the sign-in of this configuration, or all of this cache. */
export async function logout(context: CommandContext): Promise<number> {
  const { flags } = context.line;
  const revoke = flags["revoke"] === true;
  if (flags["all"] === true) {
    const { forgetAll } = await loadPart(() => import("./logout-all.ts"));
    const result = await forgetAll(context, revoke);
    context.tell(allLoggedOutText(result));
    // Shown alone: as many windows as there are providers would be an answer to a question that nobody asked.
    if (result.logoutUrls.length > 0) context.tell(logoutPagesText(result.logoutUrls, false));
    return result.failed.length === 0 ? 0 : 1;
  }
  const { session, options, world } = await context.open(revoke);
  requireIssuer(options);
  const record = await session.current();
  const result = await session.logout({ revoke });
  context.tell(loggedOutText(record, result, new Date(world.clock.now())));
  const { logoutUrl } = result;
  if (logoutUrl !== undefined) {
    const mayOpen = options.openBrowser && isatty(0) && isatty(2);
    const opening = mayOpen
      ? await world.openBrowser(logoutUrl, options.browserCommand)
      : { opened: false };
    context.tell(logoutPagesText([logoutUrl], opening.opened));
  }
  return result.revoked === "failed" ? 1 : 0;
}
