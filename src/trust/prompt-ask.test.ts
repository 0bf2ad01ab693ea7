// A question by the prompt's events: answered, unanswered, aborted.
import { expect, test } from "vitest";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { PromptEvent, TrustQuestionEvent } from "../core/prompt.ts";
import { createPromptAsk } from "./prompt-ask.ts";

const known = { issuer: "https://login.example.net", clientId: "graph-cli", scopes: ["openid"] };
const question = { server: "https://data.example.com", ...known, before: undefined };

function asking(onEvent: (event: TrustQuestionEvent) => void = () => undefined) {
  const clock = createManualClock();
  const events: PromptEvent[] = [];
  const ask = createPromptAsk({
    clock,
    timeoutSeconds: 300,
    prompt: (event) => {
      events.push(event);
      if (event.type === "trustQuestion") onEvent(event);
    },
  });
  return { ask, clock, events };
}

test("accepted and refused, the first answer counts, and no timer is left", async () => {
  const yes = asking((event) => {
    event.accept();
    event.refuse();
  });
  expect(await yes.ask(question, undefined)).toBe(true);
  const no = asking((event) => {
    event.refuse();
    event.accept();
  });
  expect(await no.ask(question, undefined)).toBe(false);
  expect([yes.clock.sleeping, no.clock.sleeping]).toEqual([0, 0]);
});

test("the event has what is asked, and both sides of a change alone", async () => {
  const { ask, events } = asking((event) => event.accept());
  await ask(question, undefined);
  await ask({ ...question, before: { ...known, clientId: "older" } }, undefined);
  const answers = { accept: expect.any(Function), refuse: expect.any(Function) };
  expect(events).toEqual([
    { type: "trustQuestion", server: "https://data.example.com", ...known, ...answers },
    {
      type: "trustQuestion",
      server: "https://data.example.com",
      ...known,
      before: { ...known, clientId: "older" },
      ...answers,
    },
  ]);
});

test("a handler that does not know the event is waited for no longer than for a sign-in", async () => {
  const { ask, clock } = asking();
  const answer = ask(question, undefined);
  await clock.advance(299_000);
  expect(clock.sleeping).toBe(1);
  await clock.advance(1000);
  expect(await answer).toBe("unanswered");
});

test("an abort ends the question with its reason", async () => {
  const { ask, clock, events } = asking();
  const stop = new AbortController();
  const answer = ask(question, stop.signal);
  stop.abort(new Error("enough"));
  await expect(answer).rejects.toThrow("enough");
  expect(clock.sleeping).toBe(0);
  await expect(ask(question, stop.signal)).rejects.toThrow("enough");
  // Nobody is asked in vain.
  expect(events).toHaveLength(1);
});
