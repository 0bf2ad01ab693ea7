// `latchkey token`: prints a token that is good now. Changes when that command does.

import { isOidcError } from "../../../core/errors.ts";
import { loadPart } from "../../../core/load.ts";
import type { CommandContext } from "../../context.ts";
import { tellOfSignIn } from "../../tell-sign-in.ts";
import { tokenText } from "../../token-text.ts";
import { cachedTokenText, tokenRequestOf } from "../../cached-token.ts";

/** A cache that cannot be used is said by the session, which gives a token all the same. */
function lookInCache(look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (error) {
    if (isOidcError(error) && error.code !== "cache_insecure") return undefined;
    throw error;
  }
}

/** Prints the token alone: cached, refreshed, or after a sign-in. */
export async function run(context: CommandContext): Promise<number> {
  const { line, settings, machine, signal } = context;
  if (line.flags["write"] !== undefined || line.flags["keep"] !== undefined) {
    const { writeToken } = await loadPart(() => import("./write.ts"));
    return writeToken(context);
  }
  if (settings.clientSecretFile !== undefined) {
    // A cached token needs no secret, and the file may be a pipe that can be read only once.
    const { options, kind } = context.peek();
    const cached = lookInCache(() => cachedTokenText({ ...options }, line.flags, machine, kind));
    if (cached !== undefined) {
      context.print(cached);
      return 0;
    }
  }
  const { session, world, options, store, key } = await context.open(true);
  const result = await session.getToken({
    ...tokenRequestOf(line.flags, settings.interactive),
    signal,
  });
  context.print(tokenText(result, line.flags));
  // A client's own token comes by itself, as a renewal does.
  if (result.source === "login" && settings.kind === "interactive") {
    const record = await session.current();
    if (record !== undefined) {
      const isKept = (await store.read(key).catch(() => undefined)) !== undefined;
      const { offlineAccess } = options;
      const about = { now: new Date(world.clock.now()), offlineAccess, isKept };
      tellOfSignIn(context, { record, before: undefined }, about);
    }
  }
  return 0;
}
