// Whoever waits for another process's work is small: nothing of the protocol or of HTTP is loaded for it.

import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { holdNextTokenRequest } from "../support/held-request.ts";
import { signInAndExpire } from "../support/kill-rounds.ts";
import { desk, provider } from "./harness.ts";

const teller = fileURLToPath(new URL("../support/tell-at.mjs", import.meta.url));

/** The code that a process had loaded when it ended, as V8 tells it: installed packages, and texts of our own files. */
function loadedCode(folder: string): { packages: string[]; ours: string } {
  const urls = readdirSync(folder)
    .flatMap((name) => {
      const { result } = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
        result: { url: string }[];
      };
      return result.map(({ url }) => url);
    })
    .filter((url) => url.startsWith("file:"));
  const packages = urls.flatMap((url) => /\/node_modules\/([^/]+)\//.exec(url)?.[1] ?? []);
  const ours = urls.filter((url) => url.includes("/dist/"));
  return {
    packages: [...new Set(packages)].toSorted(),
    ours: ours.map((url) => readFileSync(fileURLToPath(url), "utf8")).join("\n"),
  };
}

test("a process that waits for a refresh loads neither protocol nor HTTP code", async () => {
  const at = await desk();
  const identityProvider = await provider();
  await signInAndExpire(at, identityProvider);
  const request = holdNextTokenRequest(identityProvider);
  const flags = [...at.flags(identityProvider), "--no-interactive"];
  const started = (name: string): ReturnType<typeof at.start> => {
    const folder = join(at.home, name);
    mkdirSync(folder);
    const env = {
      NODE_V8_COVERAGE: folder,
      NODE_OPTIONS: `--import=${teller}`,
      TELL_AT: "lock.waiting",
    };
    return at.start(["token", ...flags], { env });
  };
  const holder = started("holder");
  await request.arrived;
  const waiter = started("waiter");
  await waiter.waitFor(/at lock\.waiting/);
  request.release();
  const [first, second] = await Promise.all([holder.finished, waiter.finished]);
  expect([first.code, second.code, second.stdout]).toEqual([0, 0, first.stdout]);
  expect(identityProvider.requests().token).toBe(1);

  const worker = loadedCode(join(at.home, "holder"));
  expect(worker.packages).toEqual([]);
  expect(worker.ours).toContain("function refreshTokens");
  expect(worker.ours).toContain("function createHttpClient");
  const idle = loadedCode(join(at.home, "waiter"));
  expect(idle.ours).toContain("function createProcessLock");
  expect(idle.packages).toEqual([]);
  expect(idle.ours).not.toContain("function refreshTokens");
  expect(idle.ours).not.toContain("function createHttpClient");
});
