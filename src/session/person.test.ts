// A sign-in that is one person's stays that person's, and they have a name.

import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { OidcError } from "../core/errors.ts";
import { raceAbort } from "./in-process-flight.ts";
import { answer, Bench, deferred, expired, failure, issuer, storeWith } from "./testing.ts";

const bob = { claims: { iss: issuer, sub: "bob", aud: "cli", exp: 9e9, iat: 1 } };

test("another person at a configuration for one account is subject_changed, and nothing is replaced [R17]", async () => {
  const store = await storeWith(answer());
  const before = await store.read("key");
  const script = { signIn: () => Promise.resolve(answer(bob)) };
  const bench = new Bench(script, { store, isOneAccount: true });
  const error = await failure(bench.session.login());
  expect([error.code, error.reason]).toEqual(["subject_changed", "other_person"]);
  expect(await store.read("key")).toEqual(before);
  // Forgotten on purpose, it is anybody's.
  await bench.session.logout();
  await bench.session.login();
  expect((await store.read("key"))?.subject).toBe("bob");
});

test("another person at a step-up is subject_changed, and the sign-in stays whose it was [R17]", async () => {
  const store = await storeWith(answer());
  const before = await store.read("key");
  const bench = new Bench({ signIn: () => Promise.resolve(answer(bob)) }, { store });
  const error = await failure(bench.session.getToken({ maxAgeSeconds: 0 }));
  expect(error.code).toBe("subject_changed");
  const after = await store.read("key");
  expect([after?.subject, after?.accessToken, after?.refreshToken]).toEqual([
    before?.subject,
    before?.accessToken,
    before?.refreshToken,
  ]);
});

test("without either, whoever signs in takes the place of whoever did before", async () => {
  const store = await storeWith(expired());
  const bench = new Bench({ signIn: () => Promise.resolve(answer(bob)) }, { store });
  await bench.session.login();
  expect((await store.read("key"))?.subject).toBe("bob");
});

test("an abort while the cache is read is no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown): void => void unhandled.push(reason);
  process.on("unhandledRejection", listener);
  const stop = new AbortController();
  stop.abort();
  const later = deferred<never>();
  await expect(raceAbort(later.promise, stop.signal)).rejects.toMatchObject({ code: "aborted" });
  later.reject(new Error("of the work that nobody waits for any more"));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", listener);
  expect(unhandled).toEqual([]);
});

const userinfoEndpoint = `${issuer}/userinfo`;
const nobody = { iss: issuer, sub: "248289761001", aud: "cli", exp: 9e9, iat: 1 };

test.each<[string, object, string]>([
  [
    "the name before everything else",
    { name: "Alice", email: "a@x.com", preferred_username: "al" },
    "Alice",
  ],
  [
    "the mail address before the user name",
    { email: "a@x.com", preferred_username: "al" },
    "a@x.com",
  ],
  ["the user name before the subject", { name: " ", email: 7, preferred_username: "al" }, "al"],
  ["nothing that cannot be shown", { name: "\u202e\u0007", email: "a@x.com" }, "a@x.com"],
])(
  "a person is called by %s of the ID token, without any request [F-U7]",
  async (_what, claims, name) => {
    const signIn = () =>
      Promise.resolve(answer({ userinfoEndpoint, claims: { ...nobody, ...claims } }));
    const bench = new Bench({ signIn });
    await bench.session.getToken();
    expect((await bench.store.read("key"))?.displayName).toBe(name);
    expect(bench.calls).toEqual(["signIn"]);
  },
);

test("where the ID token names nobody the userinfo endpoint is asked once, after the tokens are stored [F-U7]", async () => {
  const stored: unknown[] = [];
  const bench: Bench = new Bench({
    signIn: () => Promise.resolve(answer({ userinfoEndpoint, claims: nobody })),
    userInfo: async () => {
      stored.push((await bench.store.read("key"))?.refreshToken);
      return { sub: nobody.sub, preferred_username: "alice" };
    },
    refresh: () => Promise.resolve(answer({ claims: nobody })),
  });
  await bench.session.getToken();
  expect(stored).toEqual([expect.stringMatching(/^refresh-/)]);
  await bench.session.getToken({ forceRefresh: true });
  // The ID token of a refresh names nobody either, and the name stays.
  expect(await bench.store.read("key")).toMatchObject({
    displayName: "alice",
    subject: nobody.sub,
  });
  expect(bench.calls).toEqual(["signIn", "userInfo", "refresh"]);
});

test.each([
  ["no userinfo endpoint", { claims: nobody }, nobody.sub],
  [
    "no ID token, so nobody to hold the answer against",
    { userinfoEndpoint, claims: undefined },
    undefined,
  ],
])("nothing is asked where there is %s [F-U7]", async (_what, changes, name) => {
  const { claims: _claims, ...bare } = answer();
  const { claims, ...more } = changes as { claims?: typeof nobody };
  const signIn = () =>
    Promise.resolve({ ...bare, ...more, ...(claims === undefined ? {} : { claims }) });
  const bench = new Bench({ signIn });
  await bench.session.getToken();
  expect((await bench.store.read("key"))?.displayName).toBe(name);
  expect(bench.calls).toEqual(["signIn"]);
});

test.each<[string, () => Promise<{ sub: string; name?: unknown }>]>([
  ["an error", () => Promise.reject(new OidcError("subject_changed", "x"))],
  ["a fault", () => Promise.reject(new TypeError("x"))],
  ["no name", () => Promise.resolve({ sub: nobody.sub })],
  ["a name that is none", () => Promise.resolve({ sub: nobody.sub, name: 7 })],
])("a userinfo endpoint that answers with %s fails no sign-in [F-U7]", async (_what, userInfo) => {
  const signIn = () => Promise.resolve(answer({ userinfoEndpoint, claims: nobody }));
  const bench = new Bench({ signIn, userInfo });
  expect((await bench.session.getToken()).source).toBe("login");
  expect((await bench.store.read("key"))?.displayName).toBe(nobody.sub);
});

test("a userinfo endpoint that never answers holds a sign-in for five seconds [F-U7]", async () => {
  const clock = createManualClock(Date.now());
  const stopped: boolean[] = [];
  const bench = new Bench(
    {
      signIn: () => Promise.resolve(answer({ userinfoEndpoint, claims: nobody })),
      userInfo: (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            stopped.push(true);
            reject(new OidcError("aborted", "x"));
          });
        }),
    },
    { clock },
  );
  const token = bench.session.getToken();
  expect(await clock.nextSleep()).toBe(5000);
  await clock.advance(5000);
  expect((await token).source).toBe("login");
  expect([stopped, clock.sleeping]).toEqual([[true], 0]);
});

test("a name that comes after a logout brings nothing back [F-U7]", async () => {
  const bench: Bench = new Bench({
    signIn: () => Promise.resolve(answer({ userinfoEndpoint, claims: nobody })),
    userInfo: async () => {
      await bench.session.logout();
      return { sub: nobody.sub, name: "Alice" };
    },
  });
  await bench.session.getToken();
  expect(await bench.store.read("key")).toBeUndefined();
});
