// What one lock is: a home folder under two paths is one, a cache file with two state folders is none. Changes when the
// lock is named after something else.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { scratchHome, startLatchkey } from "../support/command-line.ts";
import { needs, tellMissing } from "../support/debian-packages.ts";
import { holdNextTokenRequest } from "../support/held-request.ts";
import { signInAndExpire } from "../support/kill-rounds.ts";
import { desk, provider } from "../e2e/harness.ts";

const teller = fileURLToPath(new URL("../support/tell-at.mjs", import.meta.url));

/** Words that run a command where a folder is also at another path, for that command alone. */
function withFolderAt(folder: string, path: string): readonly string[] {
  const script = 'mount --bind "$0" "$1" && shift && exec "$@"';
  return ["unshare", "--mount", "sh", "-c", script, folder, path];
}

function canMount(): boolean {
  if (!needs("unshare").available) return false;
  const [command = "", ...parameters] = withFolderAt("/tmp", "/mnt");
  if (spawnSync(command, [...parameters, "true"]).status === 0) return true;
  tellMissing("this user may not mount a folder (optional, Debian package util-linux)");
  return false;
}

test.skipIf(!canMount())(
  "the same folder under another path is the same lock: one request, and both get the token [R01]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    await signInAndExpire(at, identityProvider);
    const request = holdNextTokenRequest(identityProvider);
    const flags = [...at.flags(identityProvider), "--no-interactive"];
    const holder = at.start(["token", ...flags]);
    await request.arrived;
    const elsewhere = await scratchHome();
    onTestFinished(() => elsewhere.remove());
    const waiter = startLatchkey(["token", ...flags], {
      home: elsewhere.path,
      through: withFolderAt(at.home, elsewhere.path),
      env: { NODE_OPTIONS: `--import=${teller}`, TELL_AT: "lock.waiting" },
    });
    await waiter.waitFor(/at lock\.waiting/);
    request.release();
    const [first, second] = await Promise.all([holder.finished, waiter.finished]);
    expect([first.code, second.code, second.stdout]).toEqual([0, 0, first.stdout]);
    expect(identityProvider.requests().token).toBe(1);
  },
  30_000,
);

test("one cache file and two state folders are no lock: one leaves the other's renewal alone, and both get the token [R03]", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const cache = join(at.home, "shared", "tokens.json");
  const own = at.flags(identityProvider);
  const flags = [...own, "--cache-path", cache, "--no-interactive"];
  identityProvider.setAccessTokenLifetime(1);
  expect((await at.run(["login", ...own, "--cache-path", cache])).code).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  identityProvider.setAccessTokenLifetime(3600);
  identityProvider.resetRequests();
  const request = holdNextTokenRequest(identityProvider);
  const first = at.start(["token", ...flags]);
  await request.arrived;
  const second = at.start(["token", ...flags], {
    env: {
      XDG_STATE_HOME: join(at.home, "other-state"),
      NODE_OPTIONS: `--import=${teller}`,
      TELL_AT: "refresh.needed",
    },
  });
  await second.waitFor(/at refresh\.needed/);
  // It would have sent the used refresh token by now, and with it ended the sign-in.
  await new Promise((resolve) => setTimeout(resolve, 700));
  request.release();
  const results = await Promise.all([first.finished, second.finished]);
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  expect(new Set(results.map(({ stdout }) => stdout)).size).toBe(1);
  expect(identityProvider.requests().token).toBe(1);
}, 30_000);
