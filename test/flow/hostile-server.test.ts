// A hostile server that says where to sign in: what reaches the provider that it names, told by that provider's own log.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { OidcAuth, OidcCredentialsAuth, type OidcAuthOptions } from "../../src/index.ts";
import type { PromptEvent, TrustQuestionEvent } from "../../src/index.ts";
import { json, startHostileServer, type HostileServer } from "../support/hostile-server.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { desktop, emptyHome, failureOf, person, provider } from "./harness.ts";

// On this machine, as all providers of these tests are: a server elsewhere may name none here (D18). So it is asked
// about by policy, and what a first answer of a server elsewhere may do stands in src/trust/first-use.test.ts.
const address = "https://127.0.0.1:9/data";

interface Answer {
  issuer: string;
  clientId?: string;
  scopes?: readonly string[];
  audience?: string;
}

interface Scene {
  readonly home: string;
  readonly genuine: IdentityProvider;
  /** The attacker's provider, and everything that was sent there. */
  readonly attacker: HostileServer;
  /** What the server says from now on. */
  says: (answer: Partial<Answer>) => void;
  readonly options: (more?: OidcAuthOptions) => OidcAuthOptions;
  readonly questions: TrustQuestionEvent[];
}

/** A server that is honest at first, and a person who answers questions about it. */
async function scene(answer: "accept" | "refuse" = "accept"): Promise<Scene> {
  const home = emptyHome();
  // On a build server nobody is asked, whatever a server says.
  vi.stubEnv("CI", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const genuine = await provider();
  const attacker = await startHostileServer(json({ error: "not_found" }, 404));
  onTestFinished(() => attacker.close());
  const { clientId } = genuine.clients.public;
  let said: Answer = { issuer: genuine.issuer, clientId, scopes: ["openid", "profile"] };
  const server = {
    address,
    getOidcIssuer: () => Promise.resolve(said),
  };
  const someone = person();
  const questions: TrustQuestionEvent[] = [];
  const onPrompt = (event: PromptEvent): void => {
    if (event.type === "trustQuestion") {
      questions.push(event);
      event[answer]();
    }
    someone.onPrompt(event);
  };
  const { issuer: _theirs, clientId: _too, ...desk } = desktop(genuine, someone);
  return {
    home,
    genuine,
    attacker,
    questions,
    says: (changes) => {
      said = { ...said, ...changes };
    },
    options: (more = {}) => ({ ...desk, server, trustServer: "ask", onPrompt, ...more }),
  };
}

/** Nothing was sent to the attacker, and nobody was sent to anybody. */
function expectNothingSent({ attacker, genuine }: Scene): void {
  expect([attacker.connections(), attacker.requests]).toEqual([0, []]);
  expect(genuine.requests().authorization).toBe(0);
}

test("an issuer of its own at first contact: asked, refused, and nothing is sent there [D08]", async () => {
  const on = await scene("refuse");
  on.says({ issuer: on.attacker.origin });
  const failure = await failureOf(new OidcAuth(on.options()).getToken());
  expect([failure.code, failure.reason]).toEqual(["issuer_untrusted", "declined"]);
  expect(on.questions).toMatchObject([
    {
      server: address,
      issuer: on.attacker.origin,
      clientId: on.genuine.clients.public.clientId,
      scopes: ["openid", "profile"],
    },
  ]);
  expectNothingSent(on);
});

test("an issuer of its own where nobody can be asked [D08]", async () => {
  const on = await scene();
  on.says({ issuer: on.attacker.origin });
  const { onPrompt: _nobody, ...options } = on.options();
  const failure = await failureOf(new OidcAuth(options).getToken());
  expect([failure.code, failure.reason]).toEqual(["issuer_untrusted", undefined]);
  expectNothingSent(on);
});

test("a genuine answer is accepted once, and remembered beyond a logout [D08]", async () => {
  const on = await scene();
  const first = new OidcAuth(on.options());
  expect((await first.getToken()).source).toBe("login");
  await first.logout();
  expect((await new OidcAuth(on.options()).getToken()).source).toBe("login");
  expect(on.questions).toHaveLength(1);
  expect(on.attacker.connections()).toBe(0);
});

// Each in its turn, once the server is trusted. The last column: what the question shows as new.
test.each<[string, (on: Scene) => Partial<Answer>]>([
  ["another issuer", (on) => ({ issuer: on.attacker.origin })],
  ["a stranger's client at the genuine issuer", () => ({ clientId: "strangers-client" })],
  ["an audience", () => ({ audience: "https://elsewhere.example.com" })],
  ["more scopes [D17]", () => ({ scopes: ["openid", "profile", "offline_access"] })],
])("%s, once it is trusted: refused, and the old sign-in stays [D09]", async (_what, change) => {
  const on = await scene();
  const auth = new OidcAuth(on.options());
  const { token } = await auth.getToken();
  const pins = join(on.home, ".local/state/latchkey/servers.json");
  const before = readFileSync(pins, "utf8");
  on.genuine.resetRequests();
  on.says(change(on));
  // Whoever cannot be asked, and whoever is asked and says no.
  const { onPrompt: _nobody, ...options } = on.options();
  const alone = await failureOf(new OidcAuth(options).login());
  expect([alone.code, alone.reason]).toEqual(["server_config_changed", undefined]);
  const refusing = {
    ...on.options(),
    onPrompt: (event: PromptEvent) => {
      if (event.type === "trustQuestion") event.refuse();
    },
  };
  const declined = await failureOf(new OidcAuth(refusing).login());
  expect([declined.code, declined.reason]).toEqual(["server_config_changed", "declined"]);
  expectNothingSent(on);
  expect(readFileSync(pins, "utf8")).toBe(before);
  expect(await new OidcAuth(on.options()).getToken()).toMatchObject({ token, source: "cache" });
  expect(on.questions).toHaveLength(1);
});

test("answers that change from one call to the next: only the accepted one counts [D09]", async () => {
  const on = await scene();
  await new OidcAuth(on.options()).getToken();
  on.genuine.resetRequests();
  const { onPrompt: _nobody, ...options } = on.options();
  let calls = 0;
  const fickle = {
    address,
    getOidcIssuer: () => {
      calls += 1;
      const issuer = calls % 2 === 1 ? on.attacker.origin : `${on.attacker.origin}/other`;
      return Promise.resolve({ issuer, clientId: "c", scopes: ["openid"] });
    },
  };
  for (let round = 0; round < 4; round += 1) {
    const failure = await failureOf(new OidcAuth({ ...options, server: fickle }).login());
    expect(failure.code).toBe("server_config_changed");
  }
  expectNothingSent(on);
});

test("what the person accepts of a change is what they sign in at, and is remembered [D09]", async () => {
  const on = await scene();
  await new OidcAuth(on.options()).getToken();
  const other = await provider();
  const { clientId } = other.clients.public;
  on.says({ issuer: other.issuer, clientId });
  await new OidcAuth(on.options()).login();
  expect(on.questions[1]).toMatchObject({
    issuer: other.issuer,
    before: { issuer: on.genuine.issuer },
  });
  expect(other.requests().authorization).toBe(1);
  await new OidcAuth(on.options()).login();
  expect(on.questions).toHaveLength(2);
});

test("a client secret goes to no issuer that a server named and nobody accepted [D16]", async () => {
  const on = await scene();
  on.says({ issuer: on.attacker.origin });
  const secret = "s3cr3t-of-ours";
  const { onPrompt: _nobody, ...options } = on.options();
  const interactive = await failureOf(
    new OidcAuth({ ...options, clientId: "own", clientSecret: secret }).getToken(),
  );
  const { server } = options;
  const client = await failureOf(
    new OidcCredentialsAuth({ server, clientId: "own", clientSecret: secret }).getToken(),
  );
  for (const failure of [interactive, client]) {
    expect([failure.code, failure.reason]).toEqual(["issuer_untrusted", "secret_issuer_unbound"]);
    expect(failure.message).not.toContain(secret);
  }
  expectNothingSent(on);
});
