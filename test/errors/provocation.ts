// How a test provokes an error code, and what it may use for it. Changes when a provocation needs something else.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { OidcErrorCode } from "../../src/core/errors.ts";
import type { Wording } from "../../src/core/wording.ts";
import type { CommandResult } from "../support/command-line.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import type { TamperPath } from "../support/provider-tampering.ts";

/** How a call or a command failed. */
export interface Failed {
  readonly code: string;
  readonly reason?: string | undefined;
  readonly retryable?: boolean;
  readonly remedy?: Wording;
  /** A command's exit status, and all that it said. */
  readonly status?: number | null;
  readonly shown?: string;
}

/** Makes the world wrong in one way, and gives the failure of whoever meets it. */
export type Provocation = () => Promise<Failed>;

/** Provocations by the code that they must end with. */
export type Provocations = Readonly<Partial<Record<OidcErrorCode, Provocation>>>;

/** A new folder, for the length of one test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-errors-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The failure of a command, from the end of what it told. */
export function failureOfCommand({ code, stderr }: CommandResult): Failed {
  if (code === 0) throw new Error(`the command did not fail:\n${stderr}`);
  const [, name = stderr, reason] = /\[(\w+)(?:: (\w+))?\]\n$/.exec(stderr) ?? [];
  return { code: name, reason, status: code, shown: stderr };
}

/** Changes members of the JSON that a real provider answers with; undefined takes one away. */
export function changeAnswer(
  identityProvider: IdentityProvider,
  path: TamperPath,
  change: (genuine: Record<string, unknown>) => object | Promise<object>,
): void {
  identityProvider.tamper({
    path,
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const body: Record<string, unknown> = JSON.parse(answer.body);
      return { ...answer, body: JSON.stringify({ ...body, ...(await change(body)) }) };
    },
  });
}
