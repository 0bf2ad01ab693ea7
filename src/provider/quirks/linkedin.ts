// What LinkedIn does otherwise.

import type { ProviderQuirks } from "./provider-quirks.ts";

export const linkedin: ProviderQuirks = {
  issuerHosts: ["www.linkedin.com"],
  // OpenID Connect Core 3.1.2.1 makes the nonce optional in the code flow, where PKCE binds the code to the request:
  // https://github.com/authlib/authlib/issues/763, https://github.com/directus/directus/issues/23645,
  // https://github.com/python-social-auth/social-core/pull/833
  omitsNonce: true,
};
