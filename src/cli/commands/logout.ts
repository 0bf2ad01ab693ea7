// `latchkey logout`: forgets sign-ins, and tells the provider where asked. Changes when that command does.

import type { CommandContext } from "../context.ts";
import { allLoggedOutText, loggedOutText } from "../render/texts.ts";
import { requireIssuer } from "../requirements.ts";

/** Forgets the sign-in of this configuration, or all of this cache. */
export async function logout(context: CommandContext): Promise<number> {
  const { flags } = context.line;
  const revoke = flags["revoke"] === true;
  if (flags["all"] === true) {
    const { forgetAll } = await import("./logout-all.ts");
    const result = await forgetAll(context, revoke);
    context.tell(allLoggedOutText(result));
    return result.failed.length === 0 ? 0 : 1;
  }
  const { session, options } = await context.open(revoke);
  requireIssuer(options);
  const record = await session.current();
  const result = await session.logout({ revoke });
  context.tell(loggedOutText(record, result));
  return result.revoked === "failed" ? 1 : 0;
}
