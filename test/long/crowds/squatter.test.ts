// Another user of the machine who takes whatever name of Latchkey's he can see. Changes when what he can reach does.
import { expect, test } from "vitest";
import { signInAndExpire } from "../../support/kill-rounds.ts";
import { canSquat, startNameSquatter } from "../../support/name-squatter.ts";
import { desk, provider, together } from "../../e2e/harness.ts";

test.skipIf(!canSquat)(
  "another user who takes every name that he sees gets no lock, and renewals go on as without him [F-S4]",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const names = await startNameSquatter();
    await signInAndExpire(at, identityProvider);
    const flags = [...at.flags(identityProvider), "--no-interactive"];
    const first = await together(10, () => at.run(["token", ...flags]));
    expect([...new Set(first.map(({ code, stderr }) => `${String(code)} ${stderr}`))]).toEqual([
      "0 ",
    ]);
    expect(identityProvider.requests().token).toBe(1);
    for (let times = 0; times < 3; times += 1) {
      const { code, stderr } = await at.run(["token", ...flags, "--force-refresh"]);
      expect([code, stderr]).toEqual([0, ""]);
    }
    const login = await at.run(["login", ...at.flags(identityProvider)]);
    expect(login.code).toBe(0);
    expect(names()).toEqual([]);
  },
  60_000,
);
