// `latchkey login`: signs in anew, always. Changes when that command does.

import { OidcError } from "../../core/errors.ts";
import type { CommandContext } from "../context.ts";
import { signedInText } from "../render/texts.ts";

/** Signs in and says who, and until when, on standard error; standard output stays empty. */
export async function login(context: CommandContext): Promise<number> {
  const { session, world, options } = await context.open(true);
  // What is missing of the options is said first, by the sign-in itself.
  if (!world.personPresent && options.issuer !== "" && options.clientId !== "") {
    throw new OidcError(
      "login_required",
      "Signing in takes a person, and CI=true without a terminal says that nobody is here. Sign in on a terminal; a job " +
        "of its own needs client credentials, or a sign-in that is cached already.",
      { reason: "no_token" },
    );
  }
  const { record } = await session.login({ signal: context.signal });
  context.tell(signedInText(record, new Date(world.clock.now())));
  return 0;
}
