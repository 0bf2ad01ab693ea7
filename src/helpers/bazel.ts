// Bazel's credential helpers, which other build tools take too:
// https://github.com/EngFlow/credential-helper-spec/blob/main/spec.md

import { placeOfUrl } from "./place.ts";
import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

function addressIn(text: string): string {
  try {
    const { uri } = JSON.parse(text) as { uri?: unknown };
    if (typeof uri === "string") return uri;
  } catch {
    // Said below.
  }
  throw new HelperFailure(
    'Standard input is not a request of a build tool: {"uri":"https://…"}. [invalid_option]',
    2,
  );
}

async function run(call: ToolCall): Promise<number> {
  if (call.words[0] !== "get") {
    throw new HelperFailure(
      "This is not an operation of a credential helper. Known: get. [invalid_option]",
      2,
    );
  }
  const place = placeOfUrl(addressIn(await call.input()));
  const handed = place && (await call.token({ place }));
  const answer = handed && {
    headers: { Authorization: [`Bearer ${handed.token}`] },
    expires: handed.expiresAt?.toISOString(),
  };
  call.print(`${JSON.stringify(answer ?? {})}\n`);
  return 0;
}

/** It gives up after ten seconds, and goes on without credentials. */
export const tool: Tool = {
  ...patientTool,
  mayAsk: false,
  deadlineSeconds: 8,
  hidesErrors: true,
  run,
};
