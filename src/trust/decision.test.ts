// The table of trust, row by row (D08, D09): written out, so that a change of it is seen as one.
import { expect, test } from "vitest";
import { decide, type Risk, type Standing, type TrustPolicy } from "./decision.ts";

const risks: readonly Risk[] = ["loopback", "harmless", "phishing"];

test.each<[TrustPolicy, Standing, string]>([
  ["first-use", "unknown", "pin pin ask"],
  ["first-use", "unasked", "admit admit ask"],
  ["first-use", "accepted", "admit admit admit"],
  ["first-use", "changed", "ask ask ask"],
  ["ask", "unknown", "ask ask ask"],
  ["ask", "unasked", "ask ask ask"],
  ["ask", "accepted", "admit admit admit"],
  ["ask", "changed", "ask ask ask"],
  ["pinned", "unknown", "pin refuse refuse"],
  ["pinned", "unasked", "admit admit refuse"],
  ["pinned", "accepted", "admit admit admit"],
  ["pinned", "changed", "refuse refuse refuse"],
])("%s, %s: %s", (policy, standing, expected) => {
  expect(risks.map((risk) => decide(policy, standing, risk)).join(" ")).toBe(expected);
});
