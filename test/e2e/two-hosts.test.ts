// Two hosts that share a home folder: no lock reaches across, so a refresh of the other is seen in the record alone.
import { expect, test } from "vitest";
import {
  endOf,
  expectUndamaged,
  round,
  startOnBoth,
  twoDesks,
} from "../support/two-host-rounds.ts";
import { canMakeHosts } from "../support/two-hosts.ts";

const possible = canMakeHosts();

test.skipIf(!possible)(
  "two hosts, 5 processes on each, a refresh token that stays: one request, and everybody gets a token [R03]",
  async () => {
    const hosts = await twoDesks({ rotateRefreshTokens: false });
    const rounds = [await round(hosts, 5), await round(hosts, 5)];
    expect(rounds.map(({ ends }) => ends)).toEqual([["token"], ["token"]]);
    // Who comes second sees the first one's announcement; only within the moment of a rename they may miss each other.
    expect(Math.min(...rounds.map(({ tokenRequests }) => tokenRequests))).toBe(1);
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
