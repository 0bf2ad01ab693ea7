// What a server makes of answers that others were told, on a clock that the test moves.
import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { OidcError } from "../core/errors.ts";
import { AskingVerifier } from "./asking-verifier.ts";
import type { KeyWorld } from "./issuer-keys.ts";
import { resourceServerRules } from "./options.ts";
import { Refusals } from "./refusals.ts";
import type { SharedAnswers } from "./shared-answers.ts";

const issuer = "https://id.example.com";

/** @param answer undefined where it is this server's turn to ask, which comes to nothing. */
function setUp(answer: () => object | null | undefined, answerLifetimeSeconds = 30) {
  const clock = createManualClock();
  const questions: string[] = [];
  const left: string[] = [];
  const sharedAnswers: SharedAnswers = {
    look: (question) => {
      questions.push(question);
      const found = answer();
      return Promise.resolve(
        found === undefined
          ? { state: "turn", turn: "t" }
          : { state: "answered", answer: JSON.stringify(found), millisecondsLeft: 4000 },
      );
    },
    keep: () => Promise.reject(new Error("there is nothing to keep")),
    leave: (_question, turn) => Promise.resolve(void left.push(turn)),
  };
  const rules = resourceServerRules({
    issuer,
    audience: "api",
    validationMode: "introspection",
    introspectionClientId: "api",
    sharedAnswers,
    answerLifetimeSeconds,
  });
  const nobody = (): Promise<never> => {
    return Promise.reject(new OidcError("network", "Nobody is there."));
  };
  const world: KeyWorld = { clock, http: nobody, document: nobody, onEvent: undefined };
  const refusals = new Refusals({ scheme: "Bearer", resourceMetadata: undefined, scopes: [] });
  const verifier = new AskingVerifier({ ...rules, world, refusals });
  const [first] = rules.issuers;
  if (first === undefined) throw new Error("there is one issuer");
  const verify = (token = "opaque") =>
    verifier.verify(token, { rules: first, mode: "introspection" });
  return { clock, questions, left, verify };
}

test("[K11] what is found is remembered for the rest of its time, and no longer", async () => {
  const { clock, questions, verify } = setUp(() => ({ sub: "alice", aud: "api" }));
  expect((await verify()).expiresAt.getTime()).toBe(clock.now() + 4000);
  await clock.advance(3999);
  await verify();
  expect(questions).toHaveLength(1);
  await clock.advance(1);
  await verify();
  expect(questions).toHaveLength(2);
});

test("[K36] a question has a digest of the token, and is the same at each server of a fleet", async () => {
  const [one, other] = [setUp(() => null), setUp(() => null)];
  await expect(one.verify("token-in-question")).rejects.toMatchObject({ reason: "inactive" });
  await expect(other.verify("token-in-question")).rejects.toMatchObject({ reason: "inactive" });
  await expect(other.verify("another")).rejects.toMatchObject({ reason: "inactive" });
  expect(one.questions[0]).toMatch(/^[\w-]{43}$/);
  expect(one.questions[0]).toBe(other.questions[0]);
  expect(other.questions[1]).not.toBe(other.questions[0]);
});

test("[K10] what is found is judged like every answer", async () => {
  const wrong = { sub: "alice", aud: "api", token_type: "refresh_token" };
  const { verify } = setUp(() => wrong);
  await expect(verify()).rejects.toMatchObject({ reason: "not_an_access_token" });
});

test("[K11] an outage is shared with nobody: the turn goes to the next server", async () => {
  const { left, verify } = setUp(() => undefined);
  await expect(verify()).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(left).toEqual(["t"]);
});

test("[K11] a server that asks for each request looks nowhere else", async () => {
  const { questions, verify } = setUp(() => ({ sub: "alice", aud: "api" }), 0);
  await expect(verify()).rejects.toMatchObject({ code: "provider_unavailable" });
  expect(questions).toEqual([]);
});
