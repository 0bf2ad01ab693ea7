// How long what a provider said of a token is used, and how much of it is kept.
import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import { maxAnswerBytes, refusedAnswerLifetimeSeconds } from "../core/limits.ts";
import { RememberedAnswers, type JudgedAnswer } from "./remembered-answers.ts";
import type { Identity } from "./resource-server-types.ts";

const identity = { subject: "alice" } as Identity;

function accepted(expiresAt?: number, bytes = 1000): JudgedAnswer {
  return { identity, expiresAt, bytes };
}

function setUp(most = 10, lifetimeSeconds = 30) {
  const clock = createManualClock();
  const answers = new RememberedAnswers(clock, most, lifetimeSeconds);
  return { clock, answers, now: () => clock.now() / 1000 };
}

test("[K11] an answer serves for its lifetime, and not past the token's end", async () => {
  const { clock, answers, now } = setUp();
  answers.add("a", accepted());
  answers.add("b", accepted(now() + 10));
  answers.add("over", accepted(now() - 1));
  expect(answers.find("over")).toBeUndefined();
  await clock.advance(9999);
  expect([answers.find("a"), answers.find("b")].every((found) => found !== undefined)).toBe(true);
  await clock.advance(1);
  expect(answers.find("b")).toBeUndefined();
  await clock.advance(19_999);
  expect(answers.find("a")).toBeDefined();
  await clock.advance(1);
  expect(answers.find("a")).toBeUndefined();
});

test("[K11] a refusal serves briefly, and is over when the token is accepted", async () => {
  const { clock, answers } = setUp();
  answers.add("a", { problem: "inactive" });
  expect(answers.find("a")).toEqual({ problem: "inactive" });
  await clock.advance(refusedAnswerLifetimeSeconds * 1000);
  expect(answers.find("a")).toBeUndefined();
  answers.add("a", { problem: "inactive" });
  answers.add("a", accepted());
  expect(answers.find("a")).toMatchObject({ identity });
});

test("[K11] bounded by count; a flood of made-up tokens drives out no good ones", () => {
  const { answers } = setUp(10);
  for (let index = 0; index < 15; index += 1) answers.add(`good-${String(index)}`, accepted());
  for (let index = 0; index < 1000; index += 1) {
    answers.add(`bad-${String(index)}`, { problem: "inactive" });
  }
  const kept = Array.from({ length: 15 }, (_, index) => answers.find(`good-${String(index)}`));
  expect(kept.map((each) => each !== undefined)).toEqual([
    ...Array.from({ length: 5 }, () => false),
    ...Array.from({ length: 10 }, () => true),
  ]);
  expect([answers.find("bad-0"), answers.find("bad-999")]).toEqual([
    undefined,
    { problem: "inactive" },
  ]);
});

test("[K11] bounded by bytes, and what is too large is not kept at all", () => {
  const { answers } = setUp(10);
  answers.add("huge", accepted(undefined, maxAnswerBytes + 1));
  expect(answers.find("huge")).toBeUndefined();
  for (const name of ["a", "b", "c"]) answers.add(name, accepted(undefined, maxAnswerBytes / 2));
  expect(["a", "b", "c"].map((name) => answers.find(name) !== undefined)).toEqual([
    false,
    true,
    true,
  ]);
});
