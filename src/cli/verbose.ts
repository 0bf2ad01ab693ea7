// `--verbose`: what Latchkey does, one line for each event, on standard error.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { eventChannel } from "../core/events.ts";
import { liveLineOf } from "../interaction/live-line.ts";

const variable = "LATCHKEY_LOG";
const maxValueCharacters = 200;

/**
 * Whether events are wanted: by the flag, or by `LATCHKEY_LOG=debug`. Empty is not set.
 * @throws {OidcError} `invalid_option` for another value of the variable.
 */
export function wantsEvents(
  flag: boolean | string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): boolean {
  const value = environment[variable];
  if (value && value !== "debug") {
    throw new OidcError("invalid_option", `${variable} does not accept this value.`, {
      remedy: "Accepted: debug, which prints events as --verbose does.",
    });
  }
  return flag === true || value === "debug";
}

function shown(value: unknown): string {
  const text = sanitizeProviderText(String(value), maxValueCharacters);
  return /^[\w.:/@+,-]+$/u.test(text) ? text : JSON.stringify(text);
}

/** `18:41:02.123 http.response host=id.example.com step="token request" status=200 milliseconds=31`, in local time. */
export function eventLine(name: string, data: Readonly<Record<string, unknown>>, at: Date): string {
  const clock = [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((value) => String(value).padStart(2, "0"))
    .join(":");
  const time = `${clock}.${String(at.getMilliseconds()).padStart(3, "0")}`;
  const values = Object.entries(data)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${shown(value)}`);
  return [time, name, ...values].join(" ");
}

/** Prints every event of this process from now on, above a countdown where one is shown. */
export function printEvents(environment: Readonly<Record<string, string | undefined>>): void {
  const line = liveLineOf({ stderr: process.stderr, environment });
  const { subscribe } = process.getBuiltinModule("node:diagnostics_channel");
  subscribe(eventChannel, (message) => {
    const { name, data } = message as { name: string; data: Record<string, unknown> };
    line.writeAbove(`${eventLine(name, data, new Date())}\n`);
  });
}
