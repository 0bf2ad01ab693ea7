// The built command line with a real keychain: gnome-keyring on a bus of its own.

import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { expectNoSecrets, secretsOf } from "../support/canary.ts";
import { needs } from "../support/debian-packages.ts";
import { testKeychain } from "../support/keychain.ts";
import { desk, provider, together } from "./harness.ts";

const isThere = needs("gnomeKeyring").available && needs("dbus").available;

/** Everything in a folder and below it, as text. */
function textsBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, "latin1"))
    .join("\n");
}

/** Lets the access token of the one sign-in, in plain text, have ended. */
function expireIn(state: string): void {
  const [name = ""] = readdirSync(state).filter((each) => each.endsWith(".json"));
  const file = JSON.parse(readFileSync(join(state, name), "utf8")) as {
    records: { accessToken: { expiresAt: number } }[];
  };
  for (const { accessToken } of file.records) accessToken.expiresAt = 1;
  writeFileSync(join(state, name), JSON.stringify(file));
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

test.skipIf(!isThere)(
  "fifty programs at once with a sealed sign-in that has ended: one request, a token for each [R01]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const keychain = await testKeychain();
    await keychain.start("a password");
    const flags = at.flags(identityProvider);
    const { environment: env } = keychain;
    expect((await at.run(["login", ...flags], { env })).code).toBe(0);
    expireIn(join(at.home, ".local/state/latchkey"));
    expect((await at.run(["cache", "move"], { env })).code).toBe(0);
    identityProvider.resetRequests();
    const results = await together(50, () =>
      at.run(["token", ...flags, "--no-interactive"], { env }),
    );
    expect(new Set(results.map(({ code, stderr }) => `${String(code)} ${stderr}`))).toEqual(
      new Set(["0 "]),
    );
    expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
    expect(identityProvider.requests().token).toBe(1);
  },
);

test.skipIf(!isThere)(
  "`setup --keychain`, a wrong password, and `cache move --storage file` [C17] [C20]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const keychain = await testKeychain();
    await keychain.start("a password");
    const { environment: env } = keychain;
    const state = join(at.home, ".local/state/latchkey");
    const setup = await at.run(["setup", "--keychain", ...at.flags(identityProvider)], { env });
    expect([setup.code, setup.stdout]).toEqual([0, ""]);
    expect(readFileSync(join(at.home, ".config/latchkey/config.toml"), "utf8")).toContain(
      'storage = "keychain"',
    );
    expectNoSecrets(textsBelow(state), secretsOf([identityProvider]));
    identityProvider.resetRequests();
    const sealed = await at.run(["token"], { env });
    expect([sealed.code, sealed.stderr]).toEqual([0, ""]);

    await keychain.start("another password");
    const locked = await at.run(["token", "--no-interactive"], { env });
    expect([locked.code, locked.stdout]).toEqual([1, ""]);
    expect(locked.stderr).toMatch(/\[keychain_unavailable: locked\]\n$/);
    const stays = await at.run(["cache", "move", "--storage", "file"], { env });
    expect([stays.code, stays.stderr]).toEqual([
      1,
      expect.stringMatching(/\[keychain_unavailable: locked\]\n$/),
    ]);
    expectNoSecrets(textsBelow(state), secretsOf([identityProvider]));

    await keychain.start("a password");
    const moved = await at.run(["cache", "move", "--storage", "file"], { env });
    expect([moved.code, moved.stdout]).toEqual([0, ""]);
    const plain = await at.run(["token", "--storage", "file"]);
    expect([plain.code, plain.stdout]).toEqual([0, sealed.stdout]);
    expect(textsBelow(state)).toContain(plain.stdout.trim());
    expect(identityProvider.requests().total).toBe(0);
  },
);
