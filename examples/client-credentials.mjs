// examples/client-credentials.mjs: a program that signs in as itself, with nobody present.
import { OidcCredentialsAuth } from "latchkey";

const auth = new OidcCredentialsAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "nightly-job",
  clientSecret: process.env.CLIENT_SECRET,
  scopes: ["api:read"],
});

const { scopes, source } = await auth.getToken();
console.log(`source: ${source}, scopes: ${scopes.join(" ")}`);
