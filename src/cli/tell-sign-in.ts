// What every command says that signed somebody in.

import type { SessionRecord } from "../record/format.ts";
import type { CommandContext } from "./context.ts";
import { replacedText, signedInText, type AboutSignIn } from "./render/texts.ts";

/** Tells of a sign-in: who, until when, and in whose place. */
export function tellOfSignIn(
  context: Pick<CommandContext, "tell">,
  signIn: { readonly record: SessionRecord; readonly before: SessionRecord | undefined },
  about: AboutSignIn,
): void {
  const { record, before } = signIn;
  context.tell(signedInText(record, about));
  const replaced = replacedText(before, record);
  if (replaced !== undefined) context.tell(replaced);
}
