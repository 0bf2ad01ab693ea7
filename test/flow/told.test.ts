// What a sign-in that goes on tells the person and the log.

import { expect, test } from "vitest";
import { memoryStore, type LatchkeyEvent } from "../../src/index.ts";
import { credential, emptyHome, person, provider } from "./harness.ts";

test.each([
  [{ useServerAudience: true }, 1],
  [{ useServerAudience: true, audience: "urn:api" }, 0],
  [{}, 0],
])(
  "useServerAudience: says at a sign-in that no server can be asked: %j [F-D8]",
  async (given, count) => {
    emptyHome();
    const someone = person();
    const identityProvider = await provider();
    const auth = credential(identityProvider, { ...given, onPrompt: someone.onPrompt });
    expect((await auth.getToken()).source).toBe("login");
    await auth.getToken({ forceRefresh: true });
    const warned = someone.events.filter(
      (event) => event.type === "warning" && event.code === "server_audience_unavailable",
    );
    expect(warned).toHaveLength(count);
  },
);

test("jwksUri: without it and without discovery a sign-in says that no signature was checked [F-D3]", async () => {
  emptyHome();
  const identityProvider = await provider({ discovery: "none" });
  const endpoints = {
    authorizationEndpoint: `${identityProvider.issuer}/auth`,
    tokenEndpoint: `${identityProvider.issuer}/token`,
  };
  for (const [given, codes] of [
    [{}, ["id_token_signature_unchecked"]],
    [{ jwksUri: `${identityProvider.issuer}/jwks` }, []],
  ] as const) {
    const someone = person();
    const { onPrompt } = someone;
    const auth = credential(identityProvider, {
      ...endpoints,
      ...given,
      onPrompt,
      store: memoryStore(),
    });
    await auth.getToken();
    await auth.getToken({ forceRefresh: true });
    expect(
      someone.events.flatMap((event) => (event.type === "warning" ? [event.code] : [])),
    ).toEqual(codes);
  }
});

test("logger: is told of each look into the store, and why it was no answer [F-D3]", async () => {
  emptyHome();
  const identityProvider = await provider();
  const looks: unknown[] = [];
  const store = memoryStore();
  const options = {
    store,
    logger: (event: LatchkeyEvent) => {
      if (event.name === "cache.hit" || event.name === "cache.miss") {
        looks.push([event.name, "why" in event.data ? event.data.why : event.data.location]);
      }
    },
  };
  const auth = credential(identityProvider, options);
  await auth.getToken();
  await auth.getToken();
  await credential(identityProvider, options).getToken();
  const { token } = await auth.getToken({ forceRefresh: true });
  await auth.getToken({ rejectedToken: token });
  expect(looks).toEqual([
    ["cache.miss", "absent"],
    // The second call was answered without a look.
    ["cache.hit", store.location],
    ["cache.miss", "not_satisfying"],
    ["cache.miss", "not_satisfying"],
  ]);
});
