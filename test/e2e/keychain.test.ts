// The built command line with a real keychain: gnome-keyring on a bus of its own.

import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { needs } from "../support/debian-packages.ts";
import { testKeychain } from "../support/keychain.ts";
import { desk, provider } from "./harness.ts";

const isThere = needs("gnomeKeyring").available && needs("dbus").available;

/** Everything in a folder and below it, as text. */
function textsBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

test.skipIf(!isThere)(
  "sealed with the key in the keychain, moved there and back, refused while it is locked [C17] [C20]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const keychain = await testKeychain();
    await keychain.start("a password");
    const flags = at.flags(identityProvider);
    const run = (words: readonly string[], env = keychain.environment) =>
      at.run([...words], { env });
    const state = join(at.home, ".local/state/latchkey");

    expect((await run(["login", ...flags])).code).toBe(0);
    const plain = await run(["token", ...flags]);
    expect(textsBelow(state)).toContain(plain.stdout.trim());
    const refused = await run(["token", ...flags, "--storage", "keychain"]);
    expect(refused.stderr).toMatch(/latchkey cache move \[cache_insecure: plain_text\]\n$/);

    const moved = await run(["cache", "move"]);
    expect([moved.code, moved.stderr]).toEqual([
      0,
      "Moved 1 sign-in: now sealed, with the key in the keychain.\n",
    ]);
    expectNoSecrets(textsBelow(state), secretsOf([identityProvider]));
    // Whatever the option says: the sign-in itself says how it is kept.
    identityProvider.resetRequests();
    expect((await run(["token", ...flags])).stdout).toBe(plain.stdout);
    expect((await run(["token", ...flags, "--storage", "keychain"])).stdout).toBe(plain.stdout);
    expect(identityProvider.requests().total).toBe(0);
    expect(JSON.parse((await run(["status", "--json"])).stdout)).toMatchObject([
      { storeLevel: "keychain" },
    ]);

    // A copy of the folder on a machine without this keychain, and the keychain locked.
    const copy = await desk();
    cpSync(state, join(copy.home, ".local/state/latchkey"), {
      recursive: true,
      filter: (path) => statSync(path).isFile() || statSync(path).isDirectory(),
    });
    const elsewhere = await copy.run(["token", ...flags, "--no-interactive"], {
      env: { DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent" },
    });
    expect([elsewhere.code, elsewhere.stdout]).toEqual([1, ""]);
    expect(elsewhere.stderr).toMatch(/\[keychain_unavailable: no_service\]\n$/);
    await keychain.start();
    const locked = await run(["token", ...flags, "--no-interactive"]);
    expect([locked.code, locked.stdout]).toEqual([1, ""]);
    expect(locked.stderr).toMatch(/\[keychain_unavailable: locked\]\n$/);

    const logout = await run(["logout", ...flags]);
    expect([logout.code, logout.stderr]).toEqual([
      0,
      "Deleted the sign-in, which could not be read here.\n",
    ]);
    expect(readdirSync(state).filter((name) => name.includes(".json"))).toEqual([]);
  },
);
