// Terraform's and OpenTofu's credentials helpers: https://developer.hashicorp.com/terraform/internals/credentials-helpers

import { placeOf } from "./place.ts";
import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

async function run(call: ToolCall): Promise<number> {
  const [operation, host = ""] = call.words;
  if (operation !== "get") {
    if (operation === "store") await call.input();
    throw new HelperFailure(
      "Latchkey hands out tokens of its own, and keeps none of others. [invalid_option]",
      2,
    );
  }
  const place = placeOf(host);
  const handed = place && (await call.token({ place }));
  call.print(`${JSON.stringify(handed === undefined ? {} : { token: handed.token })}\n`);
  return 0;
}

/** It shows what a helper says when it fails. */
export const tool: Tool = { ...patientTool, mayAsk: false, deadlineSeconds: 60, run };
