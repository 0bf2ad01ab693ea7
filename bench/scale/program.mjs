// Changes when a program of the fleet in bench/hosts.mjs does another thing: one that asks for a token when it is told to, each
// time with a credential and a store of its own.
import { OidcAuth } from "../../dist/index.js";
import { redisStore } from "../../dist/stores/redis.js";

/** @param {{ options: object, url: string, key: string }} given */
function serve({ options, url, key }) {
  const logger = (/** @type {{ name: string }} */ { name }) => {
    if (name === "refresh.announced") process.send?.("announced");
  };
  const call = async () => {
    const store = redisStore({ url, key: Buffer.from(key, "hex"), prefix: "hosts" });
    const auth = new OidcAuth({ ...options, store, logger, onPrompt: () => {} });
    try {
      const { token } = await auth.getToken({ interactive: false });
      process.send?.({ token });
    } catch (error) {
      const { code, reason } = /** @type {{ code: string, reason: string }} */ (error);
      process.send?.({ code, reason });
    } finally {
      await auth.close();
    }
  };
  process.on("message", () => void call());
  process.send?.("ready");
}

process.once("message", serve);
