// The life of a sign-in: refresh, its end, userinfo, revocation. Changes when something else happens to one.
import { expect } from "vitest";
import type { ClientKind } from "../provider-under-test.ts";
import { expectEnded, kinds, uncounted } from "./check.ts";
import type { Check } from "./check.ts";

function refreshChecks(kind: ClientKind): readonly Check[] {
  return [
    {
      name: `refresh, ${kind} client, three in a row, 1 request each; rotation; claims stay`,
      run: async (desk) => {
        const client = desk.provider.clients[kind];
        const { claims } = await desk.credential(client).getToken();
        const used = new Set([(await desk.record()).refreshToken]);
        for (let round = 0; round < 3; round += 1) {
          desk.startCounting();
          const renewed = await desk.credential(client).getToken({ forceRefresh: true });
          expect([renewed.source, renewed.claims?.sub]).toEqual(["refresh", claims?.sub]);
          expect(desk.counted() ?? { token: 1 }).toMatchObject({ token: 1 });
          used.add((await desk.record()).refreshToken);
        }
        expect(used.size).toBe(4);
        // Without the one of the sign-in, an ID token can only come from the refresh.
        await desk.forgetIdToken();
        const last = await desk.credential(client).getToken({ forceRefresh: true });
        expect(last.idToken !== undefined).toBe(desk.facts.refreshGivesIdToken);
        if (!desk.facts.refreshGivesIdToken) return "yes: the answer to a refresh has no ID token";
        return "yes";
      },
    },
    {
      name: `refresh refused (unknown token), ${kind} client: login_required, then a new sign-in`,
      run: async (desk) => {
        const client = desk.provider.clients[kind];
        await desk.credential(client).getToken();
        const { refreshToken = "" } = await desk.record();
        await desk.alter({ refreshToken: refreshToken.split("").toReversed().join("") });
        await expectEnded(desk, client);
        const again = await desk.credential(client).getToken();
        expect(again.source).toBe("login");
        expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe(
          "refresh",
        );
      },
    },
  ];
}

const callerChecks: readonly Check[] = [
  {
    name: "10 callers with an expired token: 1 token request, 1 token",
    run: async (desk) => {
      const client = desk.provider.clients.public;
      await desk.credential(client).getToken();
      await desk.expire();
      desk.startCounting();
      const tokens = await Promise.all(
        Array.from({ length: 10 }, async () => desk.credential(client).getToken()),
      );
      expect(new Set(tokens.map(({ token }) => token)).size).toBe(1);
      const count = desk.counted();
      if (count === undefined) return uncounted;
      expect(count).toMatchObject({ token: 1 });
      return "yes";
    },
  },
  {
    name: "a refresh token that was used before (stolen, restored): login_required",
    run: async (desk) => {
      const client = desk.provider.clients.public;
      await desk.credential(client).getToken();
      const { refreshToken } = await desk.record();
      await desk.credential(client).getToken({ forceRefresh: true });
      if (refreshToken === undefined) throw new Error("there is no refresh token");
      await desk.alter({ refreshToken });
      await expectEnded(desk, client);
    },
  },
  {
    name: "userinfo: the same subject, and who it is",
    run: async (desk) => {
      const auth = desk.credential(desk.provider.clients.public);
      const { claims } = await auth.getToken();
      desk.startCounting();
      const info = await auth.userInfo();
      expect([info.sub, info["email"]]).toEqual([claims?.sub, expect.stringMatching(/^alice@/)]);
      expect(desk.counted() ?? { total: 1 }).toMatchObject({ total: 1 });
    },
  },
];

function revocationCheck(kind: ClientKind): Check {
  return {
    name: `revocation, ${kind} client: the refresh token is dead`,
    run: async (desk) => {
      const client = desk.provider.clients[kind];
      await desk.credential(client).getToken();
      const record = await desk.record();
      const expected = kind === "public" ? desk.facts.publicRevocation : "yes";
      const { forgotten, revoked } = await desk.credential(client).logout({ revoke: true });
      expect([forgotten, revoked]).toEqual([1, expected]);
      expect(await desk.store.list()).toEqual([]);
      if (expected !== "yes") {
        return 'no: public clients may not revoke; logout says "failed" and forgets here';
      }
      await desk.store.replace(record.key, undefined, record);
      await expectEnded(desk, client);
      return "yes";
    },
  };
}

export const sessionChecks: readonly Check[] = [
  ...kinds.flatMap(refreshChecks),
  ...callerChecks,
  ...kinds.map(revocationCheck),
];
