// The same interleavings as in every run, tens of thousands of them.
import { expect, test } from "vitest";
import { explore } from "../interleavings/explore.ts";
import { duels, scenarios } from "../interleavings/scenario.ts";

const runs = 100_000;
const seconds = 12;

test.each([
  ["one host, nothing goes wrong", scenarios({ hosts: 1, faults: false })],
  ["one host, and programs die and answers are lost", scenarios({ hosts: 1, faults: true })],
  ["two hosts, and the same goes wrong", scenarios({ hosts: 2, faults: true })],
  ["two hosts, nothing goes wrong", scenarios({ hosts: 2, faults: false })],
  ["two hosts that do not wait for each other", duels()],
] as const)(
  "%s: many thousand interleavings [R01][R03][R06][R07]",
  async (_name, kind) => {
    const met = await explore(kind, { runs, seconds });
    expect([...met]).toContain("refresh");
  },
  120_000,
);
