// Calls that want a variant: what they share with calls that want the same, and what they leave to the others.

import { expect, test } from "vitest";
import type { ProtocolReason } from "../core/error-codes.ts";
import { OidcError } from "../core/errors.ts";
import type { OtherAccessTokenRecord, SessionRecord } from "../record/format.ts";
import { parseRecord } from "../record/parse.ts";
import {
  answer,
  Bench,
  deferred,
  expired,
  failure,
  storeWith,
  tokensOf,
  type OpenStore,
} from "./testing.ts";
import { otherTokensWith, variantNameOf, variantOf } from "./token-variant.ts";

function refusal(error: ProtocolReason): OidcError {
  return new OidcError("token_request_failed", "x", { reason: error, providerError: error });
}

function idTokenWith(claims: object): string {
  const now = Math.floor(Date.now() / 1000);
  return ["{}", JSON.stringify({ sub: "alice", iat: now, exp: now + 3600, ...claims }), "x"]
    .map((part) => Buffer.from(part).toString("base64url"))
    .join(".");
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Counts who waits for any of the store's locks. */
function waitersOf(store: OpenStore): { store: OpenStore; waiting: () => number } {
  let waiting = 0;
  return {
    waiting: () => waiting,
    store: {
      ...store,
      acquire: async (key, options) =>
        store.acquire(key, {
          ...options,
          onWaiting: (holder) => {
            waiting += 1;
            options.onWaiting(holder);
          },
        }),
    },
  };
}

test("programs with one variant share its refusal: one request, one sign-in, one error for all", async () => {
  const release = deferred<void>();
  const { store, waiting } = waitersOf(await storeWith(answer()));
  const script = {
    refresh: async () => {
      await release.promise;
      throw refusal("invalid_target");
    },
    signIn: () => Promise.reject(new OidcError("access_denied", "no")),
  };
  const benches = Array.from({ length: 5 }, () => new Bench(script, { store }));
  const calls = benches.map(async ({ session }) =>
    failure(session.getToken({ resource: "urn:a" })),
  );
  await until(() => waiting() === 4);
  release.resolve();
  const errors = await Promise.all(calls);
  expect(errors.map(({ code }) => code)).toEqual(errors.map(() => "access_denied"));
  expect(benches.flatMap(({ calls: each }) => each)).toEqual(["refresh", "signIn"]);
});

test("a variant that fails is no failure of another program's call without it", async () => {
  const release = deferred<void>();
  const { store, waiting } = waitersOf(await storeWith(expired()));
  const wishing = new Bench(
    {
      refresh: async () => {
        await release.promise;
        throw refusal("invalid_scope");
      },
    },
    { store },
  );
  const plain = new Bench({}, { store });
  const refused = failure(wishing.session.getToken({ scopes: ["x"], interactive: false }));
  await until(() => wishing.calls.length === 1);
  const renewed = plain.session.getToken({ interactive: false });
  await until(() => waiting() === 1);
  release.resolve();
  expect((await refused).reason).toBe("not_granted");
  expect((await renewed).source).toBe("refresh");
});

test("a provider that cannot be reached fails every waiting program at once, whatever it wishes", async () => {
  const release = deferred<void>();
  const { store, waiting } = waitersOf(await storeWith(expired()));
  const wishing = new Bench(
    {
      refresh: async () => {
        await release.promise;
        throw new OidcError("network", "x");
      },
    },
    { store },
  );
  const plain = new Bench({}, { store });
  const first = failure(wishing.session.getToken({ scopes: ["x"] }));
  await until(() => wishing.calls.length === 1);
  const second = failure(plain.session.getToken());
  await until(() => waiting() === 1);
  release.resolve();
  expect([(await first).code, (await second).code]).toEqual(["network", "network"]);
  expect(plain.calls).toEqual([]);
});

test("a person who refuses a sign-in refuses no call that needs none", async () => {
  const release = deferred<void>();
  const { store, waiting } = waitersOf(await storeWith(expired()));
  const login = new Bench(
    {
      signIn: async () => {
        await release.promise;
        throw new OidcError("access_denied", "no");
      },
    },
    { store },
  );
  const plain = new Bench({}, { store });
  const refused = failure(login.session.login());
  await until(() => login.calls.length === 1);
  const renewed = plain.session.getToken();
  await until(() => waiting() === 1);
  release.resolve();
  expect((await refused).code).toBe("access_denied");
  expect((await renewed).source).toBe("refresh");
});

test("in one process a call without a variant does not take a variant's outcome, nor the other way round", async () => {
  const store = await storeWith(expired({ scopes: ["openid"] }));
  const bench = new Bench(
    {
      refresh: (_record, _signal, target) =>
        Promise.resolve(answer({ scopes: target?.scopes ?? ["openid"] })),
    },
    { store },
  );
  const wishes = [{}, { scopes: ["a"] }, { scopes: ["b"] }, { scopes: ["a", "b"] }];
  const tokens = await Promise.all(
    Array.from({ length: 100 }, async (_, index) => bench.session.getToken(wishes[index % 4])),
  );
  for (const [index, { scopes }] of tokens.entries()) {
    expect(scopes).toEqual(wishes[index % 4]?.scopes ?? ["openid"]);
  }
  expect(bench.calls).toEqual(["refresh", "refresh", "refresh", "refresh"]);
});

test("forceRefresh for another token is not satisfied by a renewal of the own one, nor the other way round", async () => {
  const store = await storeWith(answer());
  const bench = new Bench({}, { store });
  const elsewhere = new Bench({}, { store });
  const scopes = ["a"];
  const first = await bench.session.getToken({ scopes });
  const own = await bench.session.getToken();
  await elsewhere.session.getToken({ forceRefresh: true });
  const second = await bench.session.getToken({ scopes, forceRefresh: true });
  expect([second.source, second.token === first.token]).toEqual(["refresh", false]);
  const before = await store.read("key");
  await elsewhere.session.getToken({ scopes, forceRefresh: true });
  const after = await store.read("key");
  // The version of the own token has not moved: whoever waits for its renewal goes on waiting.
  expect(after?.version.split(".").slice(0, 2)).toEqual(before?.version.split(".").slice(0, 2));
  expect(after?.accessToken).toEqual(before?.accessToken);
  expect(after?.accessToken?.token === own.token).toBe(false);
});

test("a refused variant takes its announcement back and leaves every token [R12]", async () => {
  const store = await storeWith(answer());
  const before = await store.read("key");
  const bench = new Bench({ refresh: () => Promise.reject(refusal("invalid_scope")) }, { store });
  const error = await failure(bench.session.getToken({ scopes: ["x"], interactive: false }));
  expect([error.code, error.reason]).toEqual(["login_required", "not_granted"]);
  const after = await store.read("key");
  expect(tokensOf(after)).toEqual(tokensOf(before));
  expect([after?.intent, after?.ended]).toEqual([undefined, undefined]);
});

test("a rotated refresh token is kept with the other token, before it is handed out [R08]", async () => {
  const store = await storeWith(answer({ refreshToken: "first", idToken: "a.b.c" }));
  const bench = new Bench(
    { refresh: () => Promise.resolve(answer({ refreshToken: "second", idToken: "d.e.f" })) },
    { store },
  );
  const { token } = await bench.session.getToken({ scopes: ["x"] });
  const record = await store.read("key");
  expect([record?.refreshToken, record?.idToken]).toEqual(["second", "a.b.c"]);
  expect(record?.otherAccessTokens?.map((each) => [each.token, each.wanted])).toEqual([
    [token, { scopes: ["x"], resources: null }],
  ]);
});

test("a token that is good for a moment is handed out while the provider cannot be reached [R11]", async () => {
  const now = Math.floor(Date.now() / 1000);
  const store = await storeWith(answer());
  const brief = answer({ issuedAt: now - 3600, expiresAt: now + 30 });
  await new Bench({ refresh: () => Promise.resolve(brief) }, { store }).session.getToken({
    scopes: ["x"],
  });
  const down = { refresh: () => Promise.reject(new OidcError("network", "x")) };
  const token = await new Bench(down, { store }).session.getToken({ scopes: ["x"] });
  expect([token.source, token.token]).toEqual(["cache", brief.accessToken]);
});

test("step-up: nobody is asked twice, whatever the sign-in says", async () => {
  for (const [claims, variant, reason] of [
    [{ acr: "silver" }, { acrValues: ["gold"] }, "step_up_loop"],
    [{ acr: 1 }, { acrValues: ["1"] }, "step_up_loop"],
    [{}, { maxAgeSeconds: 300 }, "id_token_auth_time"],
    [{ auth_time: "now" }, { maxAgeSeconds: 300 }, "id_token_auth_time"],
    [{ auth_time: Date.now() }, { maxAgeSeconds: 300 }, "id_token_auth_time"],
    [undefined, { acrValues: ["gold"] }, "id_token_missing"],
  ] as const) {
    const idToken = claims === undefined ? {} : { idToken: idTokenWith(claims) };
    const bench = new Bench({ signIn: () => Promise.resolve(answer(idToken)) });
    expect((await failure(bench.session.getToken(variant))).reason).toBe(reason);
    expect(bench.calls).toEqual(["signIn"]);
  }
});

test("step-up: an expired token of a sign-in that is strong enough is refreshed", async () => {
  const store = await storeWith(expired({ idToken: idTokenWith({ acr: "gold" }) }));
  const bench = new Bench({}, { store });
  expect((await bench.session.getToken({ acrValues: ["gold"] })).source).toBe("refresh");
  expect(bench.calls).toEqual(["refresh"]);
});

test("the list of other tokens keeps the newest 20, none that has ended, and one for each target", () => {
  const other = (name: string, expiresAt: number | null): OtherAccessTokenRecord => ({
    token: name,
    tokenType: "Bearer",
    scopes: [],
    issuedAt: 1,
    expiresAt,
    wanted: { scopes: [name], resources: null },
  });
  const names = (record: Pick<SessionRecord, "otherAccessTokens">): string[] =>
    (record.otherAccessTokens ?? []).map(({ token }) => token);
  const many = Array.from({ length: 20 }, (_, index) => other(`t${String(index)}`, null));
  expect(names(otherTokensWith(many, other("new", 200), 100))).toEqual([
    ...Array.from({ length: 19 }, (_, index) => `t${String(index + 1)}`),
    "new",
  ]);
  const mixed = [other("ended", 100), other("good", 101), other("unknown", null)];
  expect(names(otherTokensWith(mixed, undefined, 100))).toEqual(["good", "unknown"]);
  const renewed = { ...other("good", 300), token: "renewed" };
  expect(names(otherTokensWith(mixed, renewed, 100))).toEqual(["unknown", "renewed"]);
  expect(otherTokensWith([other("ended", 100)], undefined, 100)).toEqual({});
});

test("a record with other tokens and how the person signed in is read back as it was written", async () => {
  const claims = { iss: "x", sub: "alice", aud: "cli", exp: 1, iat: 1, acr: "gold", auth_time: 5 };
  const store = await storeWith(answer({ claims }));
  await new Bench({}, { store }).session.getToken({ resource: ["urn:b", "urn:a"] });
  const record = await store.read("key");
  expect(record).toMatchObject({ acr: "gold", authTime: 5 });
  expect(parseRecord(JSON.parse(JSON.stringify(record)))).toEqual(record);
});

test("equal variants have one name, whatever their order; an ID token has no target", () => {
  const nameOf = (options: Parameters<typeof variantOf>[0]): string =>
    variantNameOf(variantOf(options, { scopes: ["openid"], resource: undefined }, 0));
  expect(nameOf({ scopes: ["b", "a", "b"] })).toBe(nameOf({ scopes: ["a", "b"] }));
  expect(nameOf({ resource: "urn:a" })).toBe(nameOf({ resource: ["urn:a"], scopes: ["openid"] }));
  expect(nameOf({ scopes: ["urn:a"] })).not.toBe(nameOf({ resource: "urn:a" }));
  // An order of preference is an order.
  expect(nameOf({ acrValues: ["a", "b"] })).not.toBe(nameOf({ acrValues: ["b", "a"] }));
  expect(nameOf({ scopes: ["a"], tokenKind: "id_token" })).toBe("");
});
