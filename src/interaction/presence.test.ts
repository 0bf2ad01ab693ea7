// Who is asked where: a table of surroundings.

import { expect, test } from "vitest";
import { resolveOptions } from "../options/resolve.ts";
import { absenceOfPeople } from "./presence.ts";

interface Place {
  readonly environment?: Readonly<Record<string, string>>;
  readonly terminals?: readonly number[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly platform?: NodeJS.Platform;
}

function absenceAt({ environment = {}, terminals = [], options = {}, platform }: Place): unknown {
  return absenceOfPeople({
    environment,
    platform: platform ?? "linux",
    isTerminal: (descriptor) => terminals.includes(descriptor),
    options: resolveOptions(options, "interactive"),
  });
}

const desktop = { DISPLAY: ":0" };

test.each(["true", "1", "TRUE", "yes", "woodpecker", "2"])(
  "CI=%s without a terminal: nobody is asked [F-U6]",
  (value) => {
    const environment = { ...desktop, CI: value };
    expect(absenceAt({ environment })).toBe("CI is set and there is no terminal");
    expect(absenceAt({ environment, terminals: [1] })).toBe("CI is set and there is no terminal");
    expect(absenceAt({ environment, terminals: [0, 2] })).toBeUndefined();
    // A way that was chosen says where to sign in, not that anybody is there.
    expect(absenceAt({ environment, options: { openBrowser: false } })).toBeDefined();
  },
);

test.each(["", "0", "false", "False"])("CI=%j is no continuous integration [F-U6]", (value) => {
  expect(absenceAt({ environment: { ...desktop, CI: value } })).toBeUndefined();
});

test("a scheduled job, with neither a terminal nor a display: nobody is asked [F-U6]", () => {
  const expected = "there is neither a terminal nor a display";
  expect(absenceAt({})).toBe(expected);
  expect(absenceAt({ environment: { DISPLAY: "" }, platform: "freebsd" })).toBe(expected);
});

test.each<Place>([
  { environment: desktop },
  { environment: { WAYLAND_DISPLAY: "wayland-0" } },
  { environment: { BROWSER: "firefox" } },
  { environment: { SSH_CONNECTION: "192.0.2.1 1 192.0.2.2 22" } },
  { environment: { WSL_DISTRO_NAME: "Debian" } },
  { terminals: [0] },
  { terminals: [2] },
  { options: { browserCommand: "firefox" } },
  { options: { openBrowser: false } },
  { options: { flow: "device" } },
  { platform: "darwin" },
  { platform: "win32" },
])("somebody may be there: %j", (place) => {
  expect(absenceAt(place)).toBeUndefined();
});
