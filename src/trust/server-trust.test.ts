// Whether a server's word counts: who is asked, who is refused, and what is remembered.
import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import type { ServerConfig } from "../server/server-config.ts";
import { createMemoryPins } from "./memory-pins.ts";
import { admitServerConfig, type Admission, type TrustCircumstances } from "./server-trust.ts";
import { circumstances, outcomeOf, person, pinnedBy, policies, said, server } from "./testing.ts";

test("a stranger's answer is asked about, once, and remembered [D08]", async () => {
  const { ask, questions } = person(true);
  const pins = createMemoryPins();
  const first = await admitServerConfig(said, circumstances({ pins, ask }));
  expect(first).toEqual<Admission>({ acceptedBy: "person", isExplicit: true });
  expect(questions).toEqual([
    {
      server,
      issuer: "https://login.example.net",
      clientId: "graph-cli",
      scopes: ["openid", "profile"],
      before: undefined,
    },
  ]);
  // Under any policy, with and without anybody there.
  for (const policy of policies) {
    expect(await outcomeOf({}, { pins, ask, policy })).toBe("person, explicit");
    expect(await outcomeOf({}, { pins, policy })).toBe("person, explicit");
  }
  expect(questions).toHaveLength(1);
});

test.each<[boolean | "unanswered", string]>([
  [false, "issuer_untrusted: declined"],
  ["unanswered", "issuer_untrusted: unanswered"],
])("a person who answers %s: nothing is remembered [D08]", async (answer, outcome) => {
  const { ask, questions } = person(answer);
  const pins = createMemoryPins();
  expect(await outcomeOf({}, { pins, ask })).toBe(outcome);
  expect(await pins.list()).toEqual([]);
  expect(await outcomeOf({}, { pins, ask })).toBe(outcome);
  expect(questions).toHaveLength(2);
});

test("where nobody can be asked the error is data: what was said, and what to run [D08]", async () => {
  const failure = await admitServerConfig(said, circumstances()).catch((error: unknown) => error);
  expect(failure).toMatchObject({
    code: "issuer_untrusted",
    retryable: false,
    remedy: [{ trust: server }],
  });
  expect(String(failure)).toContain(
    "data.example.com asks you to sign in at https://login.example.net as client graph-cli for openid profile. Nobody can be asked here. Nothing was sent there.",
  );
});

test("a pin that nobody was asked about admits no call that could be phished [D08]", async () => {
  const pins = createMemoryPins();
  expect(await outcomeOf({}, { pins, callerClientId: "own" })).toBe("first-use");
  // The next program sets no client: with it the very same answer is a stranger's.
  expect(await outcomeOf({}, { pins })).toBe("issuer_untrusted");
  expect(await outcomeOf({}, { pins, policy: "pinned" })).toBe("issuer_untrusted");
  const { ask, questions } = person(true);
  expect(await outcomeOf({}, { pins, ask })).toBe("person, explicit");
  expect(questions[0]?.before).toBeUndefined();
  expect(await outcomeOf({}, { pins })).toBe("person, explicit");
  // As does `ask` for a pin of `first-use`.
  const silently = await pinnedBy("first-use");
  expect(await outcomeOf({}, { pins: silently, callerClientId: "own" })).toBe("first-use");
  expect(await outcomeOf({}, { pins: silently, callerClientId: "own", policy: "ask" })).toBe(
    "issuer_untrusted",
  );
});

const changes: [string, Partial<ServerConfig>][] = [
  ["issuer", { issuer: "https://login.example.org" }],
  ["issuer, by a slash", { issuer: "https://login.example.net/" }],
  ["client", { clientId: "other-cli" }],
  ["client taken away", { clientId: "" }],
  ["audience", { audience: "https://api.example.org" }],
  ["one more scope [D17]", { scopes: ["openid", "profile", "admin"] }],
  ["offline_access [D17]", { scopes: ["openid", "profile", "offline_access"] }],
  ["no scopes, and so the default ones [D17]", { scopes: undefined }],
];

test.each(changes)(
  "a changed %s is refused, and pin and policy stay [D09]",
  async (_what, config) => {
    for (const acceptedBy of ["person", "first-use"] as const) {
      for (const policy of policies) {
        const pins = await pinnedBy(acceptedBy);
        const before = await pins.list();
        // Not even where a first answer would be silent.
        for (const host of ["data.example.com", "127.0.0.1"]) {
          expect(await outcomeOf(config, { pins, policy, host })).toBe("server_config_changed");
        }
        expect(await pins.list()).toEqual(before);
        expect(await outcomeOf({}, { pins, host: "127.0.0.1", policy: "first-use" })).toMatch(
          /^(person, explicit|first-use)$/,
        );
      }
    }
  },
);

test.each<[string, Partial<ServerConfig>]>([
  ["the same", {}],
  ["fewer scopes", { scopes: ["openid"] }],
  ["no scopes at all", { scopes: [] }],
  ["openid as well, which is no part of a pin", { scopes: ["profile", "openid"] }],
  ["another order", { scopes: ["profile", "openid"] }],
  ["another resource", { resource: "https://data.example.com/" }],
])("%s is not a change, and what was accepted stays [D17]", async (_what, config) => {
  const pins = await pinnedBy("person");
  const before = await pins.list();
  expect(await outcomeOf(config, { pins })).toBe("person, explicit");
  expect(await pins.list()).toEqual(before);
});

test("openid, which was not said before, is not a change [D17]", async () => {
  const pins = createMemoryPins();
  const { resource: _no, ...answer } = { ...said, scopes: ["profile"] };
  await pins.replace(server, undefined, { ...answer, acceptedBy: "person" });
  expect(await outcomeOf({ scopes: ["openid", "profile"] }, { pins })).toBe("person, explicit");
  expect(await outcomeOf({ scopes: ["openid", "email"] }, { pins })).toBe("server_config_changed");
});

test("what the caller sets is not the server's to change [D09]", async () => {
  const pins = await pinnedBy("person");
  const config = { issuer: "https://login.example.org", clientId: "other-cli" };
  const own = { callerIssuer: "https://id.example.com", callerClientId: "own" };
  expect(await outcomeOf(config, { pins, ...own })).toBe("person, explicit");
  expect(await outcomeOf(config, { pins, callerClientId: "own" })).toBe("server_config_changed");
  expect(await outcomeOf({ audience: "https://api.example.org" }, { pins, ...own })).toBe(
    "server_config_changed",
  );
});

test("a person is shown both sides of a change, and what they accept is pinned [D09]", async () => {
  const pins = await pinnedBy("person");
  const { ask, questions } = person(true);
  const config = { issuer: "https://login.example.org", audience: "https://api.example.org" };
  expect(await outcomeOf(config, { pins, ask })).toBe("person, explicit");
  expect(questions).toEqual([
    {
      server,
      issuer: "https://login.example.org",
      clientId: "graph-cli",
      scopes: ["openid", "profile"],
      audience: "https://api.example.org",
      before: {
        issuer: "https://login.example.net",
        clientId: "graph-cli",
        scopes: ["openid", "profile"],
      },
    },
  ]);
  expect(await outcomeOf(config, { pins })).toBe("person, explicit");
  // Back to what was accepted first is a change as well.
  expect(await outcomeOf({}, { pins })).toBe("server_config_changed");
});

test("under `pinned` nobody is asked, whoever is there [D09]", async () => {
  const { ask, questions } = person(true);
  const pins = await pinnedBy("person");
  const config = { issuer: "https://login.example.org" };
  expect(await outcomeOf(config, { pins, ask, policy: "pinned" })).toBe("server_config_changed");
  expect(await outcomeOf({}, { ask, policy: "pinned" })).toBe("issuer_untrusted");
  expect(questions).toEqual([]);
});

test.each<[boolean | "unanswered", string]>([
  [false, "server_config_changed: declined"],
  ["unanswered", "server_config_changed: unanswered"],
])("a change that a person answers with %s [D09]", async (answer, outcome) => {
  const pins = await pinnedBy("person");
  const before = await pins.list();
  const { ask } = person(answer);
  expect(await outcomeOf({ clientId: "other-cli" }, { pins, ask })).toBe(outcome);
  expect(await pins.list()).toEqual(before);
});

test("the error of a change says both sides, and what to run [D09]", async () => {
  const pins = await pinnedBy("person");
  const config = {
    issuer: "https://login.ex\u0430mple.net/\u202ereal",
    clientId: "other cli\u001b[2J",
    scopes: ["profile", "admin"],
    audience: "https://api.example.org",
    resource: undefined,
  };
  const failure = await admitServerConfig(config, circumstances({ pins })).catch(
    (error: unknown) => error as Error,
  );
  expect((failure as Error).message).toBe(
    "data.example.com does not say what it said before: " +
      "issuer https://login.example.net before, now https://login.xn--exmple-4nf.net/%E2%80%AEreal; " +
      'client graph-cli before, now "other cli [2J"; ' +
      "audience none before, now https://api.example.org; " +
      "scopes in addition to those before: admin. Nothing was sent there. " +
      "Ask whoever runs that server whether it is their change. " +
      "Accept it in `onPrompt` (event `trustQuestion`), or set `issuer` and `clientId` yourself.",
  );
  expect(failure).toMatchObject({ remedy: [expect.any(String), { trust: server }] });
});

test("a secret goes to no issuer that was found, on loopback neither [D16]", async () => {
  const bound = "issuer_untrusted: secret_issuer_unbound";
  const own = { issuer: "https://data.example.com" };
  for (const policy of policies) {
    const at = { policy, sendsSecret: true };
    expect(await outcomeOf({}, { ...at, host: "127.0.0.1" })).toBe(bound);
    expect(await outcomeOf(own, at)).toBe(bound);
    expect(await outcomeOf({}, { ...at, callerClientId: "own" })).toBe(bound);
    // Pinned, and nobody was asked.
    const pins = await pinnedBy("first-use");
    expect(await outcomeOf({}, { ...at, pins, callerClientId: "own" })).toBe(bound);
    // Accepted by a person, or the caller's own.
    expect(await outcomeOf({}, { ...at, pins: await pinnedBy("person") })).toBe("person, explicit");
  }
  const callers = { callerIssuer: "https://id.example.com", callerClientId: "own" };
  expect(await outcomeOf({}, { ...callers, sendsSecret: true })).toBe("first-use, explicit");
  const { ask, questions } = person(true);
  expect(await outcomeOf({}, { sendsSecret: true, host: "127.0.0.1", ask })).toBe(
    "person, explicit",
  );
  expect(questions).toHaveLength(1);
});

test("a silent admission is not explicit: whoever has a secret must look [D16]", async () => {
  expect(await outcomeOf({}, { host: "127.0.0.1" })).toBe("first-use");
  expect(await outcomeOf({}, { host: "127.0.0.1", callerIssuer: "https://id.example.com" })).toBe(
    "first-use, explicit",
  );
});

test("what cannot be read does not count as never seen", async () => {
  const insecure = new OidcError("cache_insecure", "The file is open to others.", {
    remedy: "Close it.",
  });
  const pins = { ...createMemoryPins(), read: () => Promise.reject(insecure) };
  const failure = await admitServerConfig(
    said,
    circumstances({ pins, callerClientId: "own", ask: person(true).ask }),
  ).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "issuer_untrusted", reason: "pins_unusable" });
  expect((failure as Error).cause).toBe(insecure);
  expect(String(failure)).toContain("The file is open to others. Close it.");
});

test("what cannot be written is accepted all the same, and told", async () => {
  const full = new OidcError("cache_write_failed", "The disk is full.", { reason: "disk_full" });
  const pins = { ...createMemoryPins(), replace: () => Promise.reject(full) };
  const told: string[] = [];
  const warn: TrustCircumstances["warn"] = (code) => void told.push(code);
  expect(await outcomeOf({}, { pins, warn, callerClientId: "own" })).toBe("first-use");
  expect(await outcomeOf({}, { pins, warn, ask: person(true).ask })).toBe("person, explicit");
  expect(told).toEqual(["cache_write_failed", "cache_write_failed"]);
  // Whoever accepts on purpose has nothing else from it.
  const onPurpose = { pins, warn, ask: person(true).ask, mustBeKept: true };
  expect(await outcomeOf({}, onPurpose)).toBe("cache_write_failed: disk_full");
  expect(told).toHaveLength(2);
});

test("many who ask about one server at once: one question [D08]", async () => {
  const pins = createMemoryPins();
  const { ask, questions } = person(true);
  const all = await Promise.all(Array.from({ length: 20 }, () => outcomeOf({}, { pins, ask })));
  expect(new Set(all)).toEqual(new Set(["person, explicit"]));
  expect(questions).toHaveLength(1);
});

test("two answers of one server at once: the second is a change, however silent the first was [D09]", async () => {
  const pins = createMemoryPins();
  const at = { pins, callerClientId: "own" };
  const other = { issuer: "https://login.example.org" };
  const outcomes = await Promise.all([outcomeOf({}, at), outcomeOf(other, at)]);
  expect(outcomes.toSorted()).toEqual(["first-use", "server_config_changed"]);
});

test("an abort ends it with its reason", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(admitServerConfig(said, circumstances({ signal }))).rejects.toThrow("enough");
});
