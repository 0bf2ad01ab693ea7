// Tools that take HTTP headers from a program, as MCP clients do: one JSON object of texts.

import { patientTool, type Tool, type ToolCall } from "./tool.ts";

async function run(call: ToolCall): Promise<number> {
  const handed = await call.token();
  call.print(`${JSON.stringify({ Authorization: `Bearer ${handed?.token ?? ""}` })}\n`);
  return 0;
}

/** Run at each connection, by programs that have a screen of their own and wait a few seconds. */
export const tool: Tool = {
  ...patientTool,
  mayAsk: false,
  deadlineSeconds: 10,
  repeatMeansRefused: true,
  hidesErrors: true,
  run,
};
