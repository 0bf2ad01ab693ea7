// cargo's credential providers: https://doc.rust-lang.org/cargo/reference/credential-provider-protocol.html

import { placeOfUrl } from "./place.ts";
import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

const fail = (kind: string): unknown => ({ Err: { kind } });

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function answerTo(line: string, call: ToolCall): Promise<unknown> {
  const request = parsed(line);
  if (member(request, "v") !== 1 || member(request, "kind") !== "get") {
    return fail("operation-not-supported");
  }
  const index = String(member(member(request, "registry"), "index-url"));
  const place = placeOfUrl(index.replace(/^(?:sparse|registry)\+/, ""));
  try {
    const handed = place && (await call.token({ place }));
    if (handed === undefined) return fail("url-not-supported");
    const { expiresAt } = handed;
    const lifetime =
      expiresAt === undefined
        ? { cache: "session" }
        : { cache: "expires", expiration: Math.floor(expiresAt.getTime() / 1000) };
    const token = `Bearer ${handed.token}`;
    return { Ok: { kind: "get", token, ...lifetime, operation_independent: true } };
  } catch (error) {
    if (!(error instanceof HelperFailure)) throw error;
    return { Err: { kind: "other", message: error.message, "caused-by": [] } };
  }
}

async function run(call: ToolCall): Promise<number> {
  call.print(`${JSON.stringify({ v: [1] })}\n`);
  for await (const line of call.lines()) {
    if (line !== "") call.print(`${JSON.stringify(await answerTo(line, call))}\n`);
  }
  return 0;
}

/** It shows the message of an answer itself. */
export const tool: Tool = { ...patientTool, run };
