// `latchkey login`: signs in anew, always. Changes when that command does.

import type { CommandContext } from "../context.ts";
import { signedInText } from "../render/texts.ts";

/** Signs in and says who, and until when, on standard error; standard output stays empty. */
export async function login(context: CommandContext): Promise<number> {
  const { session, world } = await context.open(true);
  const { record } = await session.login({ signal: context.signal });
  context.tell(signedInText(record, new Date(world.clock.now())));
  return 0;
}
