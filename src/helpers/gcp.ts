// Executables as the source of an external account: https://google.aip.dev/auth/4117

import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

const idTokenType = "urn:ietf:params:oauth:token-type:id_token";

async function run(call: ToolCall): Promise<number> {
  try {
    const handed = await call.token();
    const expiresAt = handed?.expiresAt;
    const expiration =
      expiresAt === undefined ? {} : { expiration_time: Math.floor(expiresAt.getTime() / 1000) };
    const token = { token_type: idTokenType, id_token: handed?.token };
    call.print(`${JSON.stringify({ version: 1, success: true, ...token, ...expiration })}\n`);
  } catch (error) {
    if (!(error instanceof HelperFailure)) throw error;
    const [, code = "failed"] = /\[(\w+)[^\]]*\]$/.exec(error.message) ?? [];
    call.tell(error.message);
    // The libraries show these words, where the helper ends well.
    const { message } = error;
    call.print(`${JSON.stringify({ version: 1, success: false, code, message })}\n`);
  }
  return 0;
}

/** The libraries wait for 30 seconds unless they are told otherwise. */
export const tool: Tool = {
  ...patientTool,
  tokenKind: "id_token",
  mayAsk: false,
  deadlineSeconds: 25,
  hidesErrors: true,
  run,
};
