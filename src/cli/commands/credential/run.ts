// `latchkey credential`: hands a token to a tool that asks for one.

import { closeSync, constants, openSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { HelperFailure, type Tool, type ToolCall } from "../../../helpers/tool.ts";
import { toolLoaders } from "../../../helpers/tools.ts";
import type { CommandContext } from "../../context.ts";
import { HelperTokens } from "../../helper-token.ts";

/** Several times what any tool sends: git bounds a line to 64 KiB, and cargo sends the headers of an answer. */
const maxInputBytes = 1024 * 1024;

function tooLong(): HelperFailure {
  return new HelperFailure(
    "Standard input is longer than any request of a tool. [invalid_option]",
    2,
  );
}

function standardInput(): AsyncIterable<string> {
  return process.stdin.setEncoding("utf8") as AsyncIterable<string>;
}

async function* linesOf(chunks: AsyncIterable<string>): AsyncIterable<string> {
  let open = "";
  for await (const chunk of chunks) {
    const lines = (open + chunk).split("\n");
    open = lines.pop() ?? "";
    if (open.length > maxInputBytes) throw tooLong();
    yield* lines;
  }
  if (open !== "") yield open;
}

async function wholeOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length > maxInputBytes) throw tooLong();
  }
  return text;
}

/** The terminal of a tool that shows nothing of its helpers: without this, nobody learns why it got no token. */
function tellTerminal(paragraph: string): void {
  if (isatty(2)) return;
  try {
    const { O_WRONLY, O_NOCTTY, O_NONBLOCK } = constants;
    const terminal = openSync("/dev/tty", O_WRONLY | O_NOCTTY | O_NONBLOCK);
    try {
      writeSync(terminal, `latchkey: ${paragraph.replaceAll("\n", "\r\n")}\r\n`);
    } finally {
      closeSync(terminal);
    }
  } catch {
    // There is none.
  }
}

function callOf(context: CommandContext, name: string, tool: Tool): ToolCall {
  const { line, machine } = context;
  const tokens = new HelperTokens(context, name, tool);
  return {
    words: Object.values(line.arguments),
    flags: line.flags,
    environment: machine.environment,
    now: () => Date.now(),
    input: () => wholeOf(standardInput()),
    lines: () => linesOf(standardInput()),
    token: (request = {}) => tokens.token(request),
    post: (request) => tokens.post(request),
    print: (text) => context.print(text),
    tell: (paragraph) => {
      context.tell(paragraph);
      if (tool.hidesErrors) tellTerminal(paragraph);
    },
  };
}

/** Answers the tool that was typed. */
export async function run(context: CommandContext): Promise<number> {
  const { subcommand = "" } = context.line;
  const load = toolLoaders[subcommand];
  if (load === undefined) throw new TypeError(`No command credential ${subcommand}.`);
  const { tool } = await load();
  const call = callOf(context, subcommand, tool);
  try {
    return await tool.run(call);
  } catch (error) {
    if (!(error instanceof HelperFailure)) throw error;
    call.tell(error.message);
    return error.exitCode;
  }
}
