// Changes with what is kept of a provider, and for how long.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import {
  cleanUp,
  failureOf,
  makeFolder,
  makeWorld,
  optionsFor,
  startProvider,
  startSecureProvider,
} from "../../test/support/protocol-world.ts";
import { publicHalf, strangeKey } from "../../test/support/token-forge.ts";
import { openProvider, openProviderForRefresh } from "./metadata.ts";

afterEach(cleanUp);

describe("the cache", () => {
  async function cacheFile(folder: string): Promise<string> {
    const [name = "none"] = await readdir(join(folder, "providers"));
    return join(folder, "providers", name);
  }

  /** An https: provider, and processes that share a folder and trust it. */
  async function startSecure() {
    const { provider, caCertPath } = await startSecureProvider();
    const cacheFolder = join(await makeFolder(), "cache");
    return {
      provider,
      caCertPath,
      cacheFolder,
      world: () => makeWorld({ cacheFolder, caCertPath }),
    };
  }

  test("another process within a day asks for nothing, a day later once more", async () => {
    const { provider, world: makeProcess } = await startSecure();
    const first = await openProvider(makeProcess(), optionsFor(provider));
    provider.resetRequests();
    const world = makeProcess();
    const second = await openProvider(world, optionsFor(provider));
    expect(second.metadata).toEqual(first.metadata);
    expect(provider.requests().total).toBe(0);
    expect(world.events.map(({ name }) => name)).toContain("discovery.cached");
    const later = makeProcess();
    later.advance(24 * 3600 + 60);
    await openProvider(later, optionsFor(provider));
    expect(provider.requests().discovery).toBe(1);
  });

  test("without a folder one process still asks once", async () => {
    const provider = await startProvider();
    const world = makeWorld();
    await openProvider(world, optionsFor(provider));
    await openProvider(world, optionsFor(provider));
    expect(provider.requests().discovery).toBe(1);
  });

  test("[F-S2] a sign-in asks anew whatever is kept", async () => {
    const { provider, world } = await startSecure();
    await openProvider(world(), optionsFor(provider));
    await openProvider(world(), optionsFor(provider), undefined, { anew: true });
    expect(provider.requests().discovery).toBe(2);
  });

  test("[F-S2] ten years that a sender, a wrong clock or a hand wrote are not believed", async () => {
    const { provider, cacheFolder, world } = await startSecure();
    await openProvider(world(), optionsFor(provider));
    const path = await cacheFile(cacheFolder);
    const content = JSON.parse(await readFile(path, "utf8"));
    content.metadata.expiresAt += 10 * 365 * 24 * 3600;
    await writeFile(path, JSON.stringify(content));
    provider.resetRequests();
    await openProvider(world(), optionsFor(provider));
    expect(provider.requests().discovery).toBe(1);
  });

  test("[F-S2] what one set of roots vouched for is not used under another, though the bundle's path is the same", async () => {
    const { provider, caCertPath, cacheFolder, world } = await startSecure();
    await openProvider(world(), optionsFor(provider));
    const stranger = await startSecureProvider();
    await writeFile(
      caCertPath,
      (await readFile(caCertPath, "utf8")) + (await readFile(stranger.caCertPath, "utf8")),
    );
    await openProvider(world(), optionsFor(provider));
    expect(provider.requests().discovery).toBe(2);
    // The same roots in another file are the same trust.
    const elsewhere = join(await makeFolder(), "roots.pem");
    await writeFile(elsewhere, await readFile(caCertPath, "utf8"));
    await openProvider(makeWorld({ cacheFolder, caCertPath: elsewhere }), optionsFor(provider));
    expect(provider.requests().discovery).toBe(2);
  });

  test("[F-S2] of an http: issuer nothing is kept on disk", async () => {
    const provider = await startProvider();
    const cacheFolder = join(await makeFolder(), "cache");
    const opened = await openProvider(makeWorld({ cacheFolder }), optionsFor(provider));
    await opened.keys.current();
    await expect(readdir(cacheFolder)).rejects.toMatchObject({ code: "ENOENT" });
    await openProvider(makeWorld({ cacheFolder }), optionsFor(provider));
    expect(provider.requests().discovery).toBe(2);
  });

  test("an override is not mixed up with what is kept", async () => {
    const { provider, world } = await startSecure();
    await openProvider(world(), optionsFor(provider));
    const tokenEndpoint = `${provider.issuer}/other`;
    const overridden = await openProvider(world(), optionsFor(provider, { tokenEndpoint }));
    expect(overridden.metadata.tokenEndpoint).toBe(tokenEndpoint);
    expect(provider.requests().discovery).toBe(1);
  });

  test("what stands in the file is validated like fresh content [D01][D05]", async () => {
    const { provider, caCertPath } = await startSecureProvider();
    for (const planted of [
      { token_endpoint: "http://evil.example/token" },
      { issuer: "https://evil.example" },
    ]) {
      const cacheFolder = join(await makeFolder(), "cache");
      await openProvider(makeWorld({ cacheFolder, caCertPath }), optionsFor(provider));
      const path = await cacheFile(cacheFolder);
      const content = JSON.parse(await readFile(path, "utf8"));
      Object.assign(content.metadata.document, planted);
      await writeFile(path, JSON.stringify(content));
      provider.resetRequests();
      const { metadata } = await openProvider(
        makeWorld({ cacheFolder, caCertPath }),
        optionsFor(provider),
      );
      expect(metadata.tokenEndpoint).toBe(`${provider.issuer}/token`);
      expect(provider.requests().discovery).toBe(1);
    }
  });

  test("a damaged, foreign or unreadable file is as good as none", async () => {
    const { provider, caCertPath } = await startSecureProvider();
    const cacheFolder = join(await makeFolder(), "cache");
    await openProvider(makeWorld({ cacheFolder, caCertPath }), optionsFor(provider));
    const path = await cacheFile(cacheFolder);
    const whole = await readFile(path, "utf8");
    const contents = [
      "",
      whole.slice(0, 100),
      "[]",
      whole.replace('"latchkey":2', '"latchkey":9'),
      whole.replace('"issuer":"', '"issuer":"x'),
      JSON.stringify({ latchkey: 2, issuer: provider.issuer, metadata: 7, keySet: { keys: [] } }),
    ];
    for (const content of contents) {
      await writeFile(path, content);
      provider.resetRequests();
      await openProvider(makeWorld({ cacheFolder, caCertPath }), optionsFor(provider));
      expect(provider.requests().discovery).toBe(1);
    }
  });

  test("a folder that can't be written costs nothing but speed", async () => {
    const provider = await startProvider();
    const cacheFolder = join(await makeFolder(), "file");
    await writeFile(cacheFolder, "in the way");
    const world = makeWorld({ cacheFolder });
    await openProvider(world, optionsFor(provider));
    await openProvider(world, optionsFor(provider));
    expect(provider.requests().discovery).toBe(1);
  });

  test("forgetCached makes the next opening ask again", async () => {
    const { provider, caCertPath } = await startSecureProvider();
    const cacheFolder = join(await makeFolder(), "cache");
    const world = makeWorld({ cacheFolder, caCertPath });
    const opened = await openProvider(world, optionsFor(provider));
    await opened.forgetCached();
    expect(await readdir(join(cacheFolder, "providers"))).toEqual([]);
    await openProvider(world, optionsFor(provider));
    expect(provider.requests().discovery).toBe(2);
  });

  test("keys that nobody needs yet are loaded in the background, failures kept for later", async () => {
    const provider = await startProvider();
    const world = makeWorld();
    const opened = await openProvider(world, optionsFor(provider));
    provider.tamper({ path: "jwks", times: 1, respond: async () => ({ status: 404 }) });
    opened.prefetchKeys();
    const keys = await opened.keys.current();
    expect(keys.map(({ kty }) => kty)).toEqual(["RSA", "EC"]);
    expect(provider.requests().jwks).toBe(2);
    opened.prefetchKeys();
    await opened.keys.current();
    expect(provider.requests().jwks).toBe(2);
  });

  test("[F-S8] a sign-in fetches keys that are older than their lifetime, a refresh may use them", async () => {
    const { provider, world: makeProcess } = await startSecure();
    const first = await openProvider(makeProcess(), optionsFor(provider));
    const before = await first.keys.current();
    const rotated = publicHalf(strangeKey("rotated"));
    provider.tamper({
      path: "jwks",
      respond: async () => ({ status: 200, body: JSON.stringify({ keys: [rotated] }) }),
    });
    const world = makeProcess();
    world.advance(24 * 3600 + 60);
    const renewed = await openProviderForRefresh(world, optionsFor(provider));
    expect(await renewed.keys.current()).toEqual(before);
    const anew = await openProvider(world, optionsFor(provider));
    anew.prefetchKeys();
    expect((await anew.keys.current()).map(({ kid }) => kid)).toEqual(["rotated"]);
  });

  test("a key set that is none is discovery_failed, and is not cached", async () => {
    const provider = await startProvider();
    const opened = await openProvider(makeWorld(), optionsFor(provider));
    for (const body of ["{}", "<html>", '{"keys":{}}', "[]"]) {
      const undo = provider.tamper({ path: "jwks", respond: async () => ({ status: 200, body }) });
      const error = await failureOf(opened.keys.current());
      expect(error).toMatchObject({ code: "discovery_failed", reason: "jwks_unusable" });
      undo();
    }
    const document = { keys: [publicHalf(strangeKey("k"))] };
    provider.tamper({
      path: "jwks",
      respond: async () => ({ status: 200, body: JSON.stringify(document) }),
    });
    expect(await opened.keys.current()).toHaveLength(1);
  });
});
