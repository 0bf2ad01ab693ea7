// `latchkey setup` as data.

import { interactive, keychain, replace } from "../../flags.ts";
import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "setup",
  place: 10,
  summary: "make a profile, and try it out",
  description:
    "Makes a profile: asks on a terminal for the issuer and the client id, unless flags give them or a server that says them; shows what the provider offers and which redirect URI to register; signs in; and writes the profile, [profile.default] unless --profile names another. Everything else in the configuration file stays as it is. Other flags of options become part of the profile.",
  // It makes the profile that it names.
  settings: "options",
  flags: [interactive, keychain, replace],
  examples: [
    "latchkey setup",
    "latchkey setup --profile work --issuer https://id.example.com --client-id cli",
    "latchkey setup --keychain",
  ],
};
