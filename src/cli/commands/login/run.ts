// `latchkey login`: signs in anew, always.

import type { CommandContext } from "../../context.ts";
import { checkProfileName } from "../../profile.ts";
import { savedText } from "../../render/setup.ts";
import { planProfile, profileContent, saveProfile } from "../../save-profile.ts";
import { tellOfSignIn } from "../../tell-sign-in.ts";

/** Signs in and says who, and until when, on standard error; standard output stays empty. */
export async function run(context: CommandContext): Promise<number> {
  const { line, settings, machine } = context;
  const profile = line.flags["save-profile"];
  const mayReplace = line.flags["replace"] === true;
  if (typeof profile === "string") {
    // Before anybody signs in for a profile that cannot be written, or that holds what no option accepts.
    checkProfileName(profile);
    context.peek();
    planProfile(profile, profileContent(settings, machine).entries, machine, mayReplace);
  }
  const { session, world, options } = await context.open(true);
  const before = await session.current();
  const { record } = await session.login({ signal: context.signal });
  const { offlineAccess } = options;
  tellOfSignIn(context, { record, before }, { now: new Date(world.clock.now()), offlineAccess });
  if (typeof profile !== "string") return 0;
  const { entries, leftOut } = profileContent(settings, machine);
  context.tellAsIs(savedText(await saveProfile(profile, entries, machine, mayReplace)));
  for (const sentence of leftOut) context.tell(sentence);
  return 0;
}
