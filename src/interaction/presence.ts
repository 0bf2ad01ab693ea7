// Whether anybody can be asked where this program runs: not in continuous integration, nor in a scheduled job, where a
// prompt would wait for nobody until its time is up.

import type { ResolvedOptions } from "../options/types.ts";

/** What the answer depends on. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  /** Whether standard input (0), output (1) or error (2) is a terminal. */
  readonly isTerminal: (descriptor: 0 | 1 | 2) => boolean;
  readonly options: Pick<ResolvedOptions, "openBrowser" | "browserCommand" | "flow">;
}

/** `CI` with any value but empty, `0` and `false`: some set `true`, others `1` or their own name. */
function isContinuousIntegration(value: string | undefined): boolean {
  return value !== undefined && !["", "0", "false"].includes(value.toLowerCase());
}

// What leads a person here without a terminal: a desktop, a browser of their own choice, an SSH session, Windows around WSL.
const waysOfPeople = [
  "DISPLAY",
  "WAYLAND_DISPLAY",
  "BROWSER",
  "SSH_CONNECTION",
  "SSH_TTY",
  "WSL_DISTRO_NAME",
] as const;

/**
 * Why nobody can be asked, in words that follow "because"; undefined where somebody can. Whoever chose a way that needs
 * nothing of this machine (`flow: "device"`, `openBrowser: false`) is believed outside of continuous integration.
 */
export function absenceOfPeople(surroundings: Surroundings): string | undefined {
  const { environment, platform, isTerminal, options } = surroundings;
  if (isContinuousIntegration(environment["CI"]) && !(isTerminal(0) && isTerminal(2))) {
    return "CI is set and there is no terminal";
  }
  const choseWay =
    !options.openBrowser || options.browserCommand !== undefined || options.flow === "device";
  const hasWay =
    platform === "win32" ||
    platform === "darwin" ||
    waysOfPeople.some((name) => Boolean(environment[name])) ||
    ([0, 1, 2] as const).some(isTerminal);
  return choseWay || hasWay ? undefined : "there is neither a terminal nor a display";
}
