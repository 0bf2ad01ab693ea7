// A sign-in whose time is up is told apart from none at all, and an absent person is waited for by nobody.

import { expect, test } from "vitest";
import type { TokenAnswer } from "../flow/flow-world.ts";
import { answer, Bench, expired, failure, storeWith } from "./testing.ts";

function withoutRefreshToken({ refreshToken: _none, ...rest }: TokenAnswer): TokenAnswer {
  return rest;
}

test("an ended sign-in without a refresh token is `expired`, and names what would have prevented it [F-U10]", async () => {
  const store = await storeWith(withoutRefreshToken(expired()));
  const bench = new Bench({}, { store });
  const error = await failure(bench.session.getToken({ interactive: false }));
  expect([error.code, error.reason, bench.calls]).toEqual(["login_required", "expired", []]);
  expect(error.message).toContain("has expired");
  expect(error.message).toContain("`offlineAccess`");
  expect(error.message).toMatch(/Call `login\(\)`\.$/);
});

test("one whose token is still good, though not for as long as asked, has not expired [F-U10]", async () => {
  const now = Math.floor(Date.now() / 1000);
  const soon = withoutRefreshToken(answer({ issuedAt: now - 3600, expiresAt: now + 300 }));
  const bench = new Bench({}, { store: await storeWith(soon) });
  const error = await failure(
    bench.session.getToken({ interactive: false, minValiditySeconds: 600 }),
  );
  expect([error.code, error.reason]).toEqual(["login_required", "no_token"]);
});

test("login where nobody can be asked is login_required, and nothing is started [F-U6]", async () => {
  const bench = new Bench({}, { canPrompt: false });
  const error = await failure(bench.session.login());
  expect([error.code, error.reason, bench.calls]).toEqual(["login_required", "no_token", []]);
  expect(error.message).not.toContain("Run: latchkey login");
});
