// git's credential helpers: https://git-scm.com/docs/git-credential

import { placeBehind, type Place } from "./place.ts";
import { tokenMark } from "./notes.ts";
import { HelperFailure, patientTool, type HandedToken, type Tool, type ToolCall } from "./tool.ts";

/** What git says of one credential. */
interface Description {
  readonly values: ReadonlyMap<string, string>;
  readonly capabilities: readonly string[];
  readonly challenges: readonly string[];
  readonly states: readonly string[];
}

/** Lines `key=value` up to an empty one; a key that ends in `[]` may come several times. */
export function parseDescription(text: string): Description {
  const values = new Map<string, string>();
  const lists: Record<string, string[]> = { "capability[]": [], "wwwauth[]": [], "state[]": [] };
  for (const line of text.split("\n")) {
    if (line === "") break;
    const sign = line.indexOf("=");
    if (sign === -1) continue;
    const [key, value] = [line.slice(0, sign), line.slice(sign + 1)];
    if (key.endsWith("[]")) lists[key]?.push(value);
    else values.set(key, value);
  }
  const { "capability[]": capabilities = [], "wwwauth[]": challenges = [] } = lists;
  return { values, capabilities, challenges, states: lists["state[]"] ?? [] };
}

const statePrefix = "latchkey:";

/** The mark of the token that the first round gave, where this is a second one: git comes back when it was refused. */
function refusedBefore({ states }: Description): string | undefined {
  const own = states.find((state) => state.startsWith(statePrefix))?.slice(statePrefix.length);
  return own !== undefined && /^[\da-f]{32}$/.test(own) ? own : undefined;
}

function seconds({ expiresAt }: HandedToken): string[] {
  return expiresAt === undefined
    ? []
    : [`password_expiry_utc=${String(Math.floor(expiresAt.getTime() / 1000))}`];
}

function bearerAnswer(handed: HandedToken, asked: Description): string[] {
  const canReturn = asked.capabilities.includes("state");
  // A token that is refused brings git back with this state, so that the same command goes on with a renewed one.
  const isFirst = canReturn && refusedBefore(asked) === undefined;
  return [
    "capability[]=authtype",
    ...(canReturn ? ["capability[]=state"] : []),
    "authtype=Bearer",
    `credential=${handed.token}`,
    // Nothing else is to keep it.
    "ephemeral=1",
    ...seconds(handed),
    ...(isFirst ? [`state[]=${statePrefix}${tokenMark(handed.token)}`, "continue=1"] : []),
  ];
}

function basicAnswer(handed: HandedToken, asked: Description): string[] {
  const username = handed.username ?? asked.values.get("username") ?? "oauth2";
  return [`username=${username}`, `password=${handed.token}`, ...seconds(handed)];
}

function placeIn({ values }: Description): Place | undefined {
  return placeBehind(values.get("protocol") ?? "", values.get("host") ?? "");
}

async function get(call: ToolCall, asked: Description): Promise<number> {
  const place = placeIn(asked);
  if (place === undefined) return 0;
  const mark = refusedBefore(asked);
  let handed: HandedToken | undefined;
  try {
    handed = await call.token({ place, refused: mark === undefined ? undefined : { mark } });
  } catch (error) {
    // Else git asks the next helper, and then the person for a password.
    if (error instanceof HelperFailure) call.print("quit=1\n");
    throw error;
  }
  if (handed === undefined) return 0;
  const schemes = asked.challenges.map((challenge) => challenge.split(" ", 1)[0]?.toLowerCase());
  const takesBearer = schemes.includes("bearer");
  if (takesBearer && !schemes.includes("basic") && !asked.capabilities.includes("authtype")) {
    call.print("quit=1\n");
    throw new HelperFailure(
      `${place} takes bearer tokens alone, and this git cannot send one. Install git 2.46 or later. [invalid_option]`,
      2,
    );
  }
  const isBearer = takesBearer && asked.capabilities.includes("authtype");
  const lines = isBearer ? bearerAnswer(handed, asked) : basicAnswer(handed, asked);
  call.print(`${lines.join("\n")}\n`);
  return 0;
}

/** Whoever was refused comes with the credential itself. */
async function erase(call: ToolCall, refused: Description): Promise<number> {
  const place = placeIn(refused);
  const token = refused.values.get("credential") ?? refused.values.get("password");
  if (place === undefined || token === undefined) return 0;
  try {
    await call.token({ place, refused: { token }, quiet: true });
  } catch (error) {
    // The command has failed already; the next one says what is wrong.
    if (!(error instanceof HelperFailure)) throw error;
  }
  return 0;
}

async function run(call: ToolCall): Promise<number> {
  const [operation] = call.words;
  if (operation !== "get" && operation !== "erase") return 0;
  const asked = parseDescription(await call.input());
  return operation === "get" ? get(call, asked) : erase(call, asked);
}

/** It starts itself for parts of its work, and a clone with submodules is one command. */
export const tool: Tool = { ...patientTool, family: /^git(?:-|$)/, run };
