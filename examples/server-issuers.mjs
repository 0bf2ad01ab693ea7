// examples/server-issuers.mjs: tokens of several issuers, each with its own keys and settings; what one does not set is as for
// all. Nobody else is ever asked for keys.
import { createResourceServer } from "latchkey/server";

export const resourceServer = createResourceServer({
  audience: "https://api.example.com",
  issuers: [
    { issuer: process.env.ISSUER ?? "https://login.example.com" },
    { issuer: "https://id.example.org", audience: "api", usernameClaim: "email" },
  ],
});
