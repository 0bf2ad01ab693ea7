// The memory of used proofs: nothing leaves it early, and it has an end.

import { expect, test } from "vitest";
import { ProofMemory } from "./proof-memory.ts";
import { ProofNonces } from "./proof-nonces.ts";

test("[K32] a proof is used until its time is over, whatever comes in between", () => {
  const memory = new ProofMemory(1000);
  expect(memory.use("key", "one", 100, 0)).toBe("fresh");
  for (let index = 0; index < 500; index += 1) memory.use("key", `x${String(index)}`, 90, 1);
  expect(memory.use("key", "one", 150, 99)).toBe("used");
  expect(memory.use("other", "one", 150, 99)).toBe("fresh");
  expect(memory.use("key", "one", 200, 100)).toBe("fresh");
});

test("[K32] when it is full, nothing is pushed out: the next one is not accepted", () => {
  const memory = new ProofMemory(3);
  for (const id of ["a", "b", "c"]) expect(memory.use("key", id, 100, 0)).toBe("fresh");
  expect(memory.use("key", "d", 100, 50)).toBe("full");
  expect(memory.use("key", "a", 100, 50)).toBe("used");
  expect(memory.use("key", "d", 200, 100)).toBe("fresh");
  expect(memory.use("key", "a", 200, 101)).toBe("fresh");
});

test("[K34] a nonce is good for its minute and the next one", () => {
  let now = 600;
  const nonces = new ProofNonces(undefined, () => now);
  const first = nonces.current();
  const accepted = [0, 59, 60, 119, 120, 3600].map((later) => {
    now = 600 + later;
    return nonces.accepts(first);
  });
  expect(accepted).toEqual([true, true, true, true, false, false]);
  expect(nonces.current()).not.toBe(first);
});
