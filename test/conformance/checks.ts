// The table of checks that every provider goes through. Changes when its order does.
import type { Check } from "./checks/check.ts";
import { refusalChecks } from "./checks/refusal.ts";
import { resourceServerChecks } from "./checks/resource-server.ts";
import { sessionChecks } from "./checks/session.ts";
import { signInChecks } from "./checks/sign-in.ts";

/** The rows, from top to bottom. */
export const checks: readonly Check[] = [
  ...signInChecks,
  ...sessionChecks,
  ...refusalChecks,
  ...resourceServerChecks,
];
