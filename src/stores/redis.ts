// The public entry point `latchkey/stores/redis`: exports alone.

export { redisStore, type RedisStore, type RedisStoreSettings } from "../credential/redis-store.ts";
