// The line that is rewritten in place, and who may write above it.

import { expect, test } from "vitest";
import { liveLineOf, type LiveLine, type TerminalOutput } from "./live-line.ts";

function terminal(): { line: LiveLine; stderr: TerminalOutput; output: () => string } {
  let output = "";
  const stderr = { isTTY: true, columns: 80, write: (text: string) => (output += text) };
  const line = liveLineOf({ stderr, environment: {}, terminalRole: () => "foreground" });
  return { line, stderr, output: () => output };
}

test("an output has one live line, and what others write stands above it [F-U5]", () => {
  const { line, stderr, output } = terminal();
  line.set("Waiting (0:10)");
  liveLineOf({ stderr, environment: {} }).writeAbove("an event\n");
  expect(output()).toBe("\r\u001b[2KWaiting (0:10)\r\u001b[2Kan event\n\r\u001b[2KWaiting (0:10)");
});

test("once it has ended, nothing is drawn below the last words [F-U17]", () => {
  const { line, output } = terminal();
  line.set("Waiting (0:10)");
  line.end();
  const before = output();
  line.set("Waiting (0:09)");
  line.erase();
  expect(output()).toBe(before);
  expect(before.endsWith("\r\u001b[2K")).toBe(true);
});
