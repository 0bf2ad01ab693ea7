// What Microsoft Entra ID does otherwise.

import type { ProviderQuirks } from "./provider-quirks.ts";

export const entra: ProviderQuirks = {
  issuerHosts: [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
  ],
  // The documents below other addresses name issuers of the first version of its tokens, such as
  // https://sts.windows.net/{tenantid}/:
  // https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc
  issuerEnding: "/v2.0",
  // AADSTS90009 without it: https://github.com/modelcontextprotocol/typescript-sdk/issues/2718
  refreshNeedsScope: true,
  // `common` and `organizations` name an issuer template, and each ID token the tenant's own issuer:
  // https://github.com/coreos/go-oidc/issues/344
  multiTenantIssuer: {
    segments: ["common", "organizations"],
    placeholder: "{tenantid}",
    claim: "tid",
    pattern: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
  },
};
