// The report of `latchkey doctor` for people. Changes when its look does.

import { sanitizeProviderText } from "../../core/errors.ts";
import { counted } from "../../core/words.ts";
import type { CheckStatus } from "../../doctor/check.ts";
import { wrap } from "../../interaction/layout.ts";

const maxLineCharacters = 3000;
const indent = 9;

function summary(statuses: readonly CheckStatus[]): string {
  const count = (wanted: CheckStatus): number => statuses.filter((each) => each === wanted).length;
  const failedOnes = count("failed");
  const warnings = count("warning");
  const parts = [
    failedOnes === 0 ? "No check failed" : `${counted(failedOnes, "check")} failed`,
    ...(warnings === 0 ? [] : [counted(warnings, "warning")]),
  ];
  return `${parts.join(", ")}.`;
}

/** A line for each check, and one that sums them up. Its status stands in words: nothing depends on colours. */
export function doctorText(
  checks: readonly { readonly name: string; readonly status: CheckStatus; readonly said: string }[],
  columns: number,
): string {
  const lines = checks.map(({ name, status, said }) => {
    const text = sanitizeProviderText(`${name}: ${said}`, maxLineCharacters);
    return `${status.padEnd(indent)}${wrap(text, columns, indent, indent)}`;
  });
  return [...lines, "", summary(checks.map(({ status }) => status))].join("\n");
}
