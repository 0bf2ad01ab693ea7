// Changes with what becomes of a sign-in whose renewal brings an ID token that speaks against it.

import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import type { TokenAnswer } from "../flow/flow-world.ts";
import type { SessionRecord } from "../record/format.ts";
import { Bench, expired, failure, storeWith, type OpenStore } from "./testing.ts";

async function recordIn(store: OpenStore): Promise<SessionRecord> {
  const record = await store.read("key");
  if (record === undefined) throw new Error("nothing is stored");
  return record;
}

test.each(["id_token_invalid", "subject_changed"] as const)(
  "%s ends the sign-in, so that no later call meets it again [F-P refresh-auth-time-changed] [R10]",
  async (code) => {
    const store = await storeWith(expired());
    const refused = new OidcError(code, "No.", { reason: "id_token_iss" });
    const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
    const first = await failure(bench.session.getToken({ interactive: false }));
    expect([first.code, first.reason]).toEqual(
      code === "subject_changed"
        ? ["subject_changed", "id_token_iss"]
        : ["login_required", "refresh_refused"],
    );
    const record = await recordIn(store);
    expect(record).toMatchObject({ ended: "refresh_refused" });
    expect(record).not.toHaveProperty("refreshToken");
    expect(record).not.toHaveProperty("intent");
    const second = await failure(bench.session.getToken({ interactive: false }));
    expect([second.code, second.reason]).toEqual(["login_required", "refresh_refused"]);
    expect((await bench.session.getToken()).source).toBe("login");
    expect(bench.calls).toEqual(["refresh", "signIn"]);
  },
);

test("somebody who may be asked is told why, and asked [F-P refresh-auth-time-changed]", async () => {
  const refused = new OidcError("id_token_invalid", "It is none.", { reason: "id_token_iss" });
  const store = await storeWith(expired());
  const bench = new Bench({ refresh: () => Promise.reject(refused) }, { store });
  expect((await bench.session.getToken()).source).toBe("login");
  expect(bench.prompts).toContainEqual(
    expect.objectContaining({
      type: "warning",
      code: "id_token_refused",
      message: "The sign-in could not be renewed, and a new one is needed: It is none.",
    }),
  );
});

test("a later auth_time than the sign-in's counts for nobody who asks for a recent one [F-P refresh-auth-time-changed]", async () => {
  const now = Math.floor(Date.now() / 1000);
  const withTime = (auth_time: number): TokenAnswer =>
    expired({
      idToken: `a.${Buffer.from(JSON.stringify({ auth_time })).toString("base64url")}.c`,
      claims: { iss: "i", sub: "alice", aud: "cli", exp: now + 60, iat: now, auth_time },
    });
  const store = await storeWith(withTime(now - 3600));
  const bench = new Bench(
    { refresh: () => Promise.resolve({ ...withTime(now - 10), expiresAt: now + 3600 }) },
    { store },
  );
  expect((await bench.session.getToken({ interactive: false })).source).toBe("refresh");
  expect(await recordIn(store)).toMatchObject({ authTime: now - 3600 });
  const error = await failure(bench.session.getToken({ interactive: false, maxAgeSeconds: 60 }));
  expect(error.reason).toBe("step_up");
});
