// The public entry point `latchkey/stores/redis`: exports alone.

export {
  redisAnswers,
  type RedisAnswersSettings,
  type RedisSharedAnswers,
} from "../credential/redis-answers.ts";
export { redisStore, type RedisStore, type RedisStoreSettings } from "../credential/redis-store.ts";
