// The default prompt handler as a program may call it from its own.

import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { composeWorld } from "./compose.ts";
import { OidcError, terminalPrompt, type PromptEvent, type PromptHandler } from "../index.ts";
import { resolveOptions } from "../options/resolve.ts";

const events: readonly PromptEvent[] = [
  {
    type: "authorizationUrl",
    url: "https://id.example.com/authorize?state=s1",
    redirectUri: "http://127.0.0.1:8765/callback",
    browserOpened: true,
    expiresAt: new Date(Date.now() + 300_000),
    paste: () => undefined,
    cancel: () => undefined,
  },
  { type: "warning", code: "some_warning", message: "Something is odd." },
  { type: "settled", error: new OidcError("access_denied", "x") },
];

/** What a handler writes; the first event loads it. */
async function written(make: (output: PassThrough) => PromptHandler): Promise<string> {
  const output = new PassThrough();
  const handler = make(output);
  for (const event of events) handler(event);
  const chunks: string[] = [];
  output.on("data", (chunk: Buffer) => chunks.push(chunk.toString()));
  while (!chunks.join("").includes("[some_warning]")) {
    await new Promise((resolve) => output.once("data", resolve));
  }
  return chunks.join("");
}

test("terminalPrompt shows what the default handler shows, in the order of the events [F-U13]", async () => {
  const own = await written((output) => terminalPrompt({ output }));
  expect(own).toMatch(
    /id\.example\.com[\s\S]*\n\nhttps:\/\/id\.example\.com\/authorize\?state=s1\n/,
  );
  expect(own).toMatch(/Warning: Something is odd\. \[some_warning\]\n$/);
});

test("an onPrompt of one's own hands on what it does not show itself [F-U13]", async () => {
  const seen: string[] = [];
  const shown = await written((output) => {
    const inTerminal = terminalPrompt({ output });
    const onPrompt = (event: PromptEvent): void => {
      seen.push(event.type);
      if (event.type !== "authorizationUrl") inTerminal(event);
    };
    return composeWorld(resolveOptions({ onPrompt }, "interactive")).prompt;
  });
  expect(seen).toEqual(["authorizationUrl", "warning", "settled"]);
  expect(shown).toBe("Warning: Something is odd. [some_warning]\n");
});
