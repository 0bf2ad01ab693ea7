// What goes wrong with the place where tokens are kept, met by the built command line, and by a program with a store of
// its own. Changes with those checks.

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { memoryStore } from "../../src/index.ts";
import { desk, provider } from "../e2e/harness.ts";
import { credential, failureOf } from "../flow/harness.ts";
import { failureOfCommand, type Provocations } from "./provocation.ts";

const stateFolder = ".local/state/latchkey";

export const cache: Provocations = {
  cache_insecure: async () => {
    const at = await desk();
    mkdirSync(join(at.home, stateFolder), { recursive: true });
    chmodSync(join(at.home, stateFolder), 0o755);
    return failureOfCommand(await at.run(["login", ...at.flags(await provider())]));
  },
  cache_unreadable: async () => {
    const at = await desk();
    mkdirSync(join(at.home, ".local/state"), { recursive: true, mode: 0o700 });
    writeFileSync(join(at.home, stateFolder), "a file where the folder should be");
    return failureOfCommand(await at.run(["status"]));
  },
  cache_write_failed: async () => {
    const at = await desk();
    // Nobody, not even root, can make a folder there.
    const flags = [...at.flags(await provider()), "--cache-path", "/proc/latchkey/tokens.json"];
    return failureOfCommand(await at.run(["login", ...flags]));
  },
  // A process that signs in and is stopped (Ctrl-Z) holds the lock, and can prove nothing.
  cache_locked: async () => {
    const at = await desk();
    const flags = [...at.flags(await provider()), "--callback-timeout-seconds", "60"];
    const holder = at.start(["login", ...flags, "--no-open-browser"]);
    await holder.waitFor(/\/auth\?/);
    holder.kill("SIGSTOP");
    try {
      return failureOfCommand(await at.run(["token", ...flags]));
    } finally {
      holder.kill("SIGKILL");
      await holder.finished;
    }
  },
  // No bus, and so no Secret Service: nothing is kept, and nothing in plain text.
  keychain_unavailable: async () => {
    const at = await desk();
    const flags = [...at.flags(await provider()), "--storage", "keychain"];
    const env = { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" };
    return failureOfCommand(await at.run(["login", ...flags], { env }));
  },
  // Whose database has gone away, as its driver says it.
  store_unavailable: async () => {
    const read = () => Promise.reject(Object.assign(new Error("closed"), { code: "ECONNRESET" }));
    const store = { ...memoryStore(), read };
    return failureOf(credential(await provider(), { store }).getToken());
  },
};
