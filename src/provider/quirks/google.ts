// What Google does otherwise.

import type { ProviderQuirks } from "./provider-quirks.ts";

export const google: ProviderQuirks = {
  issuerHosts: ["accounts.google.com"],
  // A refresh token comes only for `access_type=offline`, and again only with `prompt=consent`; the scope
  // `offline_access` is unknown there. https://stackoverflow.com/questions/10827920
  offlineAccessParameters: { access_type: "offline" },
};
