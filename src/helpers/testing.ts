// One call of a helper with everything around it played: what the tool sends, and which token there is.

import type {
  HandedToken,
  HelperAnswer,
  HelperPost,
  Tool,
  ToolCall,
  TokenRequest,
} from "./tool.ts";

/** What a test plays. */
export interface PlayedCall {
  readonly words?: readonly string[];
  readonly input?: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** The answer to each form. */
  readonly service?: (post: HelperPost) => HelperAnswer;
  /** The answer to each request in turn; undefined: the server is not in the table. */
  readonly token?: (request: TokenRequest) => HandedToken | undefined;
}

/** What came of it. */
export interface Answered {
  readonly status: number;
  readonly printed: string;
  readonly told: string;
  readonly requests: readonly TokenRequest[];
}

/** A token of this hour, with the end at noon. */
export const handed: HandedToken = {
  token: "token-1",
  expiresAt: new Date("2026-12-01T12:00:00Z"),
  username: undefined,
};

/** Runs a helper; what it throws is thrown. */
export async function answer(tool: Tool, played: PlayedCall = {}): Promise<Answered> {
  const requests: TokenRequest[] = [];
  let printed = "";
  let told = "";
  const call: ToolCall = {
    words: played.words ?? [],
    flags: played.flags ?? {},
    environment: played.environment ?? {},
    post: async (post) => (played.service ?? (() => ({ status: 500, text: "" })))(post),
    now: () => Date.parse("2026-12-01T11:00:00Z"),
    input: async () => played.input ?? "",
    lines: async function* lines() {
      yield* (played.input ?? "").split("\n");
    },
    token: async (request = {}) => {
      requests.push(request);
      return (played.token ?? (() => handed))(request);
    },
    print: (text) => {
      printed += text;
    },
    tell: (paragraph) => {
      told += `${paragraph}\n`;
    },
  };
  const status = await tool.run(call);
  return { status, printed, told, requests };
}
