// The program `keyring`, as pip and uv run it: https://pip.pypa.io/en/stable/topics/authentication/#keyring-support

import { placeOf, placeOfUrl, type Place } from "./place.ts";
import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

/** A service as they name it: the address of an index, then its host. */
function placeNamed(service: string): Place | undefined {
  return service.includes("://") ? placeOfUrl(service) : placeOf(service);
}

async function get(call: ToolCall, service: string, user: string | undefined): Promise<number> {
  const place = placeNamed(service);
  const handed = place && (await call.token({ place }));
  // Nothing is printed where there is nothing, and they go on to the next name.
  if (handed === undefined) return 1;
  const { token: password, username = user ?? "oauth2" } = handed;
  if (call.flags["mode"] !== "creds") call.print(`${password}\n`);
  else if (call.flags["output"] === "json") {
    call.print(`${JSON.stringify({ username, password })}\n`);
  } else call.print(`${username}\n${password}\n`);
  return 0;
}

async function run(call: ToolCall): Promise<number> {
  const [operation, service = "", user] = call.words;
  if (operation === "get") return get(call, service, user);
  if (operation === "set") await call.input();
  throw new HelperFailure(
    "Latchkey hands out tokens of its own, and keeps no password. Known: get. [invalid_option]",
    2,
  );
}

/** They leave the terminal to nobody, and some show no standard error. */
export const tool: Tool = { ...patientTool, mayAsk: false, hidesErrors: true, run };
