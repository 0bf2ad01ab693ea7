// `latchkey token --write`: the token in a file for other programs, once or kept fresh.

import { OidcError } from "../../../core/errors.ts";
import type { AccessToken } from "../../../core/types.ts";
import { replaceUserFile } from "../../../files/user-file.ts";
import { absolutePath } from "../../../options/paths.ts";
import { tokenRequestOf } from "../../cached-token.ts";
import type { CommandContext } from "../../context.ts";
import { keepFresh } from "../../kept-token.ts";
import { errorParagraph } from "../../render/errors.ts";
import { tokenText } from "../../token-text.ts";

/** Writes the file; with `--keep` until it is interrupted. */
export async function writeToken(context: CommandContext): Promise<number> {
  const { line, settings, machine, signal } = context;
  const named = line.flags["write"];
  if (typeof named !== "string") {
    throw new OidcError("invalid_option", "--keep keeps a file fresh, and no file is named.", {
      remedy: "Add --write FILE.",
    });
  }
  const path = absolutePath(named, machine);
  const { session, world } = await context.open(true);
  const request = tokenRequestOf(line.flags, settings.interactive);
  // Programs that read such files take the token to the last character.
  const take = (token: AccessToken): void => {
    replaceUserFile(path, tokenText(token, line.flags).trimEnd());
  };
  if (line.flags["keep"] !== true) {
    take(await session.getToken({ ...request, signal }));
    return 0;
  }
  return keepFresh({
    getToken: (each) => session.getToken(each),
    request,
    clock: world.clock,
    signal,
    take,
    onFailure: (error) => context.tell(errorParagraph(error, line.configuration)),
  });
}
