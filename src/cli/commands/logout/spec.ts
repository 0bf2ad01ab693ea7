// `latchkey logout` as data.

import type { CommandSpec } from "../../spec.ts";

export const spec: CommandSpec = {
  name: "logout",
  place: 60,
  summary: "forget a sign-in",
  description:
    "Forgets the cached sign-in without any request. --revoke also tells the provider; where that fails, the sign-in is forgotten all the same and the exit status is 1. It also shows the page that ends the provider's session in your browser, where there is one, and opens it on a terminal unless --no-open-browser.",
  settings: "sign-in",
  flags: [
    { name: "revoke", kind: "switch", summary: "also tell the provider" },
    { name: "all", kind: "switch", summary: "every sign-in of this cache", everySignIn: true },
  ],
  examples: ["latchkey logout --profile work --revoke", "latchkey logout --all"],
};
