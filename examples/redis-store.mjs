// examples/redis-store.mjs: programs on many machines that share one sign-in.
import { OidcCredentialsAuth } from "latchkey";
import { redisStore } from "latchkey/stores/redis";

const store = redisStore({
  url: process.env.REDIS_URL ?? "redis://127.0.0.1:6379",
  // 32 random bytes, the same for every program: `openssl rand -base64 32`, kept in your secret manager.
  key: async () => Buffer.from(process.env.SIGN_IN_KEY ?? "", "base64"),
  onWarning: (code, message) => console.error(`${message} [${code}]`),
});

const auth = new OidcCredentialsAuth({
  issuer: process.env.ISSUER ?? "https://id.example.com",
  clientId: process.env.CLIENT_ID ?? "order-service",
  clientSecret: process.env.CLIENT_SECRET,
  scopes: ["api:read"],
  store,
});

try {
  const { scopes, source } = await auth.getToken();
  console.log(`source: ${source}, scopes: ${scopes.join(" ")}`);
} finally {
  await store.close();
}
