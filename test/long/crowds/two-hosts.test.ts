// Two hosts that share a home folder: no lock reaches across, so a refresh of the other is seen in the record alone.
import { expect, test } from "vitest";
import { startLatchkey } from "../../support/command-line.ts";
import { holdNextTokenRequest } from "../../support/held-request.ts";
import { signInAndExpire } from "../../support/kill-rounds.ts";
import {
  endOf,
  expectUndamaged,
  round,
  startOnBoth,
  twoDesks,
} from "../../support/two-host-rounds.ts";
import { canMakeHosts } from "../../support/two-hosts.ts";

const possible = canMakeHosts();
const rounds = 12;

test.skipIf(!possible)(
  `two hosts, ${String(rounds)} rounds of 10 processes on each: hardly ever more than one token request [R03]`,
  async () => {
    const hosts = await twoDesks({ rotateRefreshTokens: false });
    const requests: number[] = [];
    for (let done = 0; done < rounds; done += 1) {
      const { ends, tokenRequests } = await round(hosts, 10);
      expect([done, ends]).toEqual([done, ["token"]]);
      requests.push(tokenRequests);
    }
    // The announcement is read back before the request: two at once need a rename within that very moment.
    expect(requests.filter((each) => each === 1).length).toBeGreaterThanOrEqual(rounds - 2);
    expect(Math.max(...requests)).toBeLessThanOrEqual(2);
  },
  600_000,
);

test.skipIf(!possible)(
  "two hosts, 10 processes on each, and reuse ends the sign-in: all get a token, or all learn why not [R03]",
  async () => {
    const hosts = await twoDesks({});
    const { ends, tokenRequests } = await round(hosts, 10);
    // docs/lock/protocol.md, step 8: where the provider revokes the whole family on reuse, nothing heals.
    const allowed =
      tokenRequests === 1 ? /^token$/ : /^(?:token|\[login_required: refresh_(?:lost|refused)\])$/;
    expect(ends.filter((end) => !allowed.test(end))).toEqual([]);
    const healed = await hosts.desks[0].run(["login", ...hosts.signInFlags]);
    expect(healed.code).toBe(0);
  },
  120_000,
);

test.skipIf(!possible)(
  "two hosts renew by force at the same time: the record stays whole, and the sign-in lives [R03]",
  async () => {
    const hosts = await twoDesks({ rotateRefreshTokens: false });
    expect((await round(hosts, 1)).ends).toEqual(["token"]);
    const results = await startOnBoth(hosts, 4, ["--force-refresh"]);
    expect([...new Set(results.map(endOf))]).toEqual(["token"]);
    expectUndamaged(hosts.desks[0].home);
    const later = await hosts.desks[1].run(["token", ...hosts.flags, "--force-refresh"]);
    expect(later.code).toBe(0);
  },
  120_000,
);

/** One host dies while its request is on the way; gives how the processes of the other one end. */
async function endsAfterDeath(isAnswered: boolean): Promise<readonly string[]> {
  const hosts = await twoDesks({});
  const { identityProvider, desks, flags } = hosts;
  await signInAndExpire(desks[0], identityProvider);
  // It never goes on: its process dies first.
  const request = holdNextTokenRequest(identityProvider, isAnswered ? "answer" : "request");
  const holder = startLatchkey(["token", ...flags], {
    home: desks[0].home,
    through: desks[0].through,
    timeoutMs: 120_000,
  });
  await request.arrived;
  holder.kill("SIGKILL");
  await holder.finished;
  const before = performance.now();
  const [, second] = desks;
  const results = await Promise.all(
    Array.from({ length: 5 }, () => second.run(["token", ...flags])),
  );
  const ends = [...new Set(results.map(endOf))];
  // The other host's announcement is good for 30 seconds from when it was made.
  expect(performance.now() - before).toBeGreaterThan(20_000);
  expect(identityProvider.requests().token).toBe(2);
  expectUndamaged(second.home);
  // Whoever comes later, on either host, ends alike.
  expect([...new Set((await startOnBoth(hosts, 2)).map(endOf))]).toEqual(ends);
  return ends;
}

test.skipIf(!possible)(
  "one host dies while its request is on the way: the other waits 30 seconds, whether it was never read, or answered and reuse ends the sign-in [R04][R07]",
  async () => {
    // Nearly all of it is the wait.
    const [unread, answered] = await Promise.all([endsAfterDeath(false), endsAfterDeath(true)]);
    expect([unread, answered]).toEqual([["token"], ["[login_required: refresh_lost]"]]);
  },
  180_000,
);
