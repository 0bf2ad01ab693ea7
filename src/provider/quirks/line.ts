// What LINE does otherwise.

import type { ProviderQuirks } from "./provider-quirks.ts";

export const line: ProviderQuirks = {
  issuerHosts: ["access.line.me"],
  // Its metadata lists ES256; a web channel's ID tokens are signed with the channel secret:
  // https://developers.line.biz/en/docs/line-login/verify-id-token/
  unlistedIdTokenAlgorithms: ["HS256"],
};
