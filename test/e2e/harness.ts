// The built command line at a desktop of its own, for tests with operating-system processes. Changes when such a test
// needs more of its surroundings.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import {
  runLatchkey,
  scratchHome,
  startLatchkey,
  type CommandResult,
  type RunningCommand,
} from "../support/command-line.ts";
import {
  startIdentityProvider,
  type IdentityProvider,
  type IdentityProviderOptions,
} from "../support/identity-provider.ts";

const browserScript = fileURLToPath(new URL("../support/browser-command.mjs", import.meta.url));
const patientScript = fileURLToPath(new URL("../support/patient-browser.mjs", import.meta.url));

/** A home folder, a browser that signs in by itself, and what was opened in it. */
export interface Desk {
  readonly home: string;
  /** `--browser-command` for a browser that signs in as alice. */
  readonly browser: string;
  /** One that presses Cancel. */
  readonly refusingBrowser: string;
  /** One that signs in as alice, and visits nothing before a file is there. */
  patientBrowser(file: string): string;
  /** URLs that were opened. */
  opened(): readonly string[];
  /** Flags for a public client of a provider. */
  flags(identityProvider: IdentityProvider): string[];
  run(parameters: readonly string[], options?: RunOptions): Promise<CommandResult>;
  start(parameters: readonly string[], options?: RunOptions): RunningCommand;
}

/** What a test may change about one run. */
export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly command?: string;
  readonly timeoutMs?: number;
}

/** A desk that is cleared away after the test. */
export async function desk(): Promise<Desk> {
  const scratch = await scratchHome();
  onTestFinished(() => scratch.remove());
  const home = scratch.path;
  const log = join(home, "opened.log");
  // Latchkey takes LATCHKEY_ variables away from the browser's environment; `env` gives these back.
  const command = (deny: string): string =>
    `/usr/bin/env LATCHKEY_TEST_BROWSER_LOG=${log} LATCHKEY_TEST_BROWSER_DENY=${deny} ${process.execPath} ${browserScript}`;
  return {
    home,
    browser: command("0"),
    refusingBrowser: command("1"),
    patientBrowser: (file) =>
      `/usr/bin/env LATCHKEY_TEST_BROWSER_LOG=${log} ${process.execPath} ${patientScript} before ${file}`,
    opened: () =>
      existsSync(log)
        ? readFileSync(log, "utf8")
            .split("\n")
            .filter((line) => line !== "")
        : [],
    flags: (identityProvider) => [
      "--issuer",
      identityProvider.issuer,
      "--client-id",
      identityProvider.clients.public.clientId,
      "--callback-port",
      "0",
      "--callback-timeout-seconds",
      "20",
      "--browser-command",
      command("0"),
    ],
    run: (parameters, options = {}) => runLatchkey(parameters, { home, ...options }),
    start: (parameters, options = {}) => startLatchkey(parameters, { home, ...options }),
  };
}

/** A provider that ends with the test. */
export async function provider(options: IdentityProviderOptions = {}): Promise<IdentityProvider> {
  const started = await startIdentityProvider(options);
  onTestFinished(() => started.close());
  return started;
}

/** Starts `count` processes at once and gives their results. */
export async function together(
  count: number,
  start: (index: number) => Promise<CommandResult>,
): Promise<CommandResult[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => start(index)));
}
