// The texts of `latchkey trust`, and what of a server they show.
import { expect, test } from "vitest";
import type { ServerPin } from "../../trust/pins.ts";
import { forgottenText, notRemembered, trustListText } from "./trust.ts";

const now = new Date(2026, 11, 1, 15, 42);
const pins: readonly ServerPin[] = [
  {
    server: "https://data.example.com",
    issuer: "https://login.example.net/realms/data",
    clientId: "graph-cli",
    audience: "https://data.example.com/api",
    scopes: ["openid", "profile", "offline_access"],
    acceptedBy: "person",
    pinnedAt: new Date(2026, 10, 30, 9, 5).getTime(),
  },
  {
    server: "grpc://127.0.0.1:50051",
    issuer: "https://id.example.com",
    clientId: "",
    audience: undefined,
    scopes: undefined,
    acceptedBy: "first-use",
    pinnedAt: new Date(2026, 11, 1, 15, 40).getTime(),
  },
];

test.each([80, 40])("every text at %i columns", async (columns) => {
  const text = [
    trustListText(pins, now, columns),
    forgottenText(pins),
    notRemembered("data.example.org"),
    "",
  ].join("\n\n");
  await expect(text).toMatchFileSnapshot(`../__captures__/trust-${String(columns)}.txt`);
});

test("nothing that a server said commands the terminal [O06]", () => {
  const hostile: ServerPin = {
    server: "https://d\u0430ta.example.com/\u001b[2J",
    issuer: "https://login.example.net/\u202e",
    clientId: "\u001b]8;;https://evil.example\u0007cli",
    audience: "\u2066x",
    scopes: ["a\nb", "\u009b31m"],
    acceptedBy: "person",
    pinnedAt: 0,
  };
  const text =
    trustListText([hostile], now, 200) + forgottenText([hostile]) + notRemembered("\u001bx");
  expect(text).not.toMatch(/[^\n\x20-\x7e]/u);
  expect(text).toContain("https://xn--dta-6cd.example.com/%1B[2J");
});
