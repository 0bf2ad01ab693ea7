// A sign-in that is one person's stays that person's.

import { expect, test } from "vitest";
import { raceAbort } from "./flight.ts";
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
