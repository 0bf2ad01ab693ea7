// examples/server-introspection.mjs: JWTs by their signature, and any other token by asking the provider (RFC 7662).
import { createResourceServer } from "latchkey/server";

export const resourceServer = createResourceServer({
  issuer: process.env.ISSUER ?? "https://login.example.com",
  audience: "https://api.example.com",
  validationMode: ["jwt", "introspection"],
  introspectionClientId: "orders-api",
  introspectionClientSecret: process.env.INTROSPECTION_SECRET,
});
