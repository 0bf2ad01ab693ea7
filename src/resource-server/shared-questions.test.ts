// Answers that servers share, on a clock that the test moves: who asks, who waits, and what becomes of it when they cannot be had.
import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import {
  maxSharedAnswerCharacters,
  maxSharedLookMilliseconds,
  sharedPauseMilliseconds,
  sharedTurnMilliseconds,
  sharedWaitMilliseconds,
} from "../core/limits.ts";
import { OidcError } from "../core/errors.ts";
import type { IssuerRules } from "./issuer-options.ts";
import type { ResourceServerEvent } from "./resource-server-types.ts";
import type { SharedAnswers, SharedLook } from "./shared-answers.ts";
import { SharedQuestions, type SharedFinding, type SharedTurn } from "./shared-questions.ts";

const route = {
  rules: { issuer: "https://id.example.com" } as IssuerRules,
  mode: "introspection",
} as const;
const never = new Promise<never>(() => undefined);

/** A place that answers what the test says, and notes what it was told. */
function setUp(look: () => Promise<SharedLook>) {
  const clock = createManualClock();
  const told: unknown[][] = [];
  const events: ResourceServerEvent[] = [];
  const place = { look };
  const shared: SharedAnswers = {
    look: (question, turnMilliseconds) => {
      told.push(["look", question, turnMilliseconds]);
      return place.look();
    },
    keep: (...words) => Promise.resolve(void told.push(["keep", ...words])),
    leave: (...words) => Promise.resolve(void told.push(["leave", ...words])),
  };
  const questions = new SharedQuestions({
    shared,
    clock,
    onEvent: (event) => void events.push(event),
  });
  const find = (question = "q"): Promise<SharedFinding | SharedTurn> =>
    questions.find(question, route);
  const outcomes = (): unknown[] =>
    events.map((event) => (event.type === "shared" ? [event.outcome, event.reason] : event));
  return { clock, told, place, find, outcomes };
}

function turnOf(found: SharedFinding | SharedTurn): SharedTurn {
  if ("secondsLeft" in found) throw new Error("there was an answer");
  return found;
}

const turn = (): Promise<SharedLook> => Promise.resolve({ state: "turn", turn: "t" });
const asking = (): Promise<SharedLook> => Promise.resolve({ state: "asking" });
const answered = (answer: string): Promise<SharedLook> =>
  Promise.resolve({ state: "answered", answer, millisecondsLeft: 12_500 });

test("an answer is found with the rest of its time, a refusal too", async () => {
  const { find, place, outcomes } = setUp(() => answered('{"sub":"alice"}'));
  expect(await find()).toEqual({ claims: { sub: "alice" }, secondsLeft: 12.5 });
  place.look = () => answered("null");
  expect(await find()).toEqual({ claims: undefined, secondsLeft: 12.5 });
  expect(outcomes()).toEqual([
    ["found", undefined],
    ["found", undefined],
  ]);
});

test("whose turn it is hands the answer on, for its time from when it began to ask", async () => {
  const { clock, find, told, outcomes } = setUp(turn);
  const first = turnOf(await find("one"));
  await clock.advance(4000);
  first.keep({ sub: "alice" }, 30);
  turnOf(await find("two")).keep(undefined, 5);
  turnOf(await find("three")).leave();
  expect(told.filter(([what]) => what !== "look")).toEqual([
    ["keep", "one", '{"sub":"alice"}', 26_000],
    ["keep", "two", "null", 5000],
    ["leave", "three", "t"],
  ]);
  expect(told[0]).toEqual(["look", "one", sharedTurnMilliseconds]);
  expect(outcomes()).toEqual(Array.from({ length: 3 }, () => ["none", undefined]));
});

test("what came too late, or is too long, is not kept: the turn ends", async () => {
  const { clock, find, told } = setUp(turn);
  const late = turnOf(await find());
  await clock.advance(5000);
  late.keep({}, 5);
  turnOf(await find()).keep({ text: "x".repeat(maxSharedAnswerCharacters) }, 30);
  expect(told.filter(([what]) => what !== "look")).toEqual([
    ["leave", "q", "t"],
    ["leave", "q", "t"],
  ]);
});

test("while another server asks this one waits for its answer", async () => {
  const { clock, find, place } = setUp(asking);
  const found = find();
  // The first one is the time that a look may take.
  await clock.nextSleep();
  await clock.advance(await clock.nextSleep());
  place.look = () => answered("{}");
  await clock.advance(1000);
  expect(await found).toEqual({ claims: {}, secondsLeft: 12.5 });
});

test("[K36] it does not wait for ever: then it asks too, and has no turn of another's to end", async () => {
  const { clock, find, told } = setUp(asking);
  const found = find();
  await clock.nextSleep();
  await clock.nextSleep();
  await clock.advance(sharedWaitMilliseconds);
  const asked = turnOf(await found);
  asked.leave();
  expect(told.filter(([what]) => what !== "look")).toEqual([]);
  asked.keep({}, 30);
  expect(told.at(-1)?.[0]).toBe("keep");
});

test("[K36] where they do not answer, a server asks by itself, and leaves them alone for a while", async () => {
  const { clock, find, place, told, outcomes } = setUp(() => never);
  const found = find();
  await clock.nextSleep();
  await clock.advance(maxSharedLookMilliseconds);
  turnOf(await found).keep({}, 30);
  await find();
  expect(told.map(([what]) => what)).toEqual(["look"]);
  // One tries again, the others do not wait for it.
  await clock.advance(sharedPauseMilliseconds);
  const trial = find();
  await find();
  expect(told).toHaveLength(2);
  await clock.advance(maxSharedLookMilliseconds);
  await trial;
  place.look = () => answered("{}");
  await clock.advance(sharedPauseMilliseconds);
  expect(await find()).toMatchObject({ secondsLeft: 12.5 });
  expect(await find()).toMatchObject({ secondsLeft: 12.5 });
  const gone = ["unavailable", undefined];
  const alone = ["unavailable", "left_alone"];
  const here = ["found", undefined];
  expect(outcomes()).toEqual([gone, alone, alone, gone, here, here]);
});

test.each([
  [
    "an error",
    () => Promise.reject(new OidcError("store_unavailable", "x", { reason: "refused" })),
    "refused",
  ],
  ["no JSON", () => answered("{"), undefined],
  ["something else than an object", () => answered("[]"), undefined],
  [
    "an endless text",
    () => answered(`{"x":"${"x".repeat(maxSharedAnswerCharacters)}"}`),
    undefined,
  ],
  ["no look at all", () => Promise.resolve(undefined as unknown as SharedLook), undefined],
] as const)("[K36] %s is no answer, and no error", async (_name, look, reason) => {
  const { find, outcomes } = setUp(look);
  turnOf(await find()).leave();
  expect(outcomes()).toEqual([["unavailable", reason]]);
});
