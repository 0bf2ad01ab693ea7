// `latchkey token`: prints a token that is good now. Changes when that command does.

import type { CommandContext } from "../context.ts";
import { tellOfSignIn } from "./login.ts";
import { tokenText } from "../token-text.ts";
import { cachedTokenText, tokenRequestOf } from "../cached-token.ts";

/** Prints the token alone: cached, refreshed, or after a sign-in. */
export async function token(context: CommandContext): Promise<number> {
  const { line, settings, machine, signal } = context;
  if (settings.clientSecretFile !== undefined) {
    // A cached token needs no secret, and the file may be a pipe that can be read only once.
    const { options, kind } = context.peek();
    const cached = cachedTokenText({ ...options }, line.flags, machine, kind);
    if (cached !== undefined) {
      context.print(cached);
      return 0;
    }
  }
  const { session, world, options } = await context.open(true);
  const result = await session.getToken({
    ...tokenRequestOf(line.flags, settings.interactive),
    signal,
  });
  context.print(tokenText(result, line.flags));
  // A client's own token comes by itself, as a renewal does.
  if (result.source === "login" && settings.kind === "interactive") {
    const record = await session.current();
    if (record !== undefined) {
      const about = { now: new Date(world.clock.now()), offlineAccess: options.offlineAccess };
      tellOfSignIn(context, { record, before: undefined }, about);
    }
  }
  return 0;
}
