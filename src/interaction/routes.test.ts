// Which requests mean something. Changes when a rule of L06 to L11 does.
import { expect, test } from "vitest";
import { routeRequest } from "./routes.ts";
import type { RequestFacts } from "./routes.ts";

const rules = {
  authorities: new Set(["127.0.0.1:8765"]),
  callbackPath: "/callback",
  outcomePath: "/outcome",
  isExpectedState: (candidate: string) => candidate === "right",
};

function route(changes: Partial<RequestFacts> = {}): string {
  const result = routeRequest(
    {
      method: "GET",
      target: "/callback?code=c&state=right",
      headers: {},
      hosts: ["127.0.0.1:8765"],
      ...changes,
    },
    rules,
  );
  if (result.kind === "refused") return `${result.status} ${result.why}`;
  return result.kind === "stray" ? `stray: ${result.why}` : result.kind;
}

test("takes the callback with our state, error answers included [L09]", () => {
  expect(route()).toBe("callback");
  expect(route({ target: "/callback?error=access_denied&state=right" })).toBe("callback");
  expect(route({ target: "/outcome" })).toBe("outcome");
});

test.for([
  [[]],
  [["evil.example"]],
  [["evil.example:8765"]],
  [["127.0.0.1"]],
  [["127.0.0.1:8766"]],
  [["localhost:8765"]],
  [["127.0.0.1:8765", "127.0.0.1:8765"]],
  [["127.0.0.1:8765", "evil.example"]],
] as const)("refuses a request for %j [L06]", ([hosts]) => {
  expect(route({ hosts })).toBe("421 host");
});

test.for([
  "/",
  "/favicon.ico",
  "//callback?state=right",
  "/callback/?state=right",
  "/%63allback?state=right",
  "/Callback?state=right",
  "/callback;x?state=right",
  "/./callback?state=right",
  "/callback#?state=right",
  "http://127.0.0.1:8765/callback?state=right",
  "*",
  "",
])("has nothing at %j [L07]", (target) => {
  expect(route({ target })).toBe("404 path");
});

test.for(["HEAD", "POST", "OPTIONS", "PUT", "get"])("refuses the method %s [L07]", (method) => {
  expect(route({ method })).toBe("405 method");
});

test.for([
  ["/callback", "no state"],
  ["/callback?", "no state"],
  ["/callback?state=", "no state"],
  ["/callback?code=c", "no state"],
  ["/callback?error=access_denied", "no state"],
  ["/callback?error=access_denied&state=wrong", "another state"],
  ["/callback?code=c&state=wrong", "another state"],
  ["/callback?state=right&state=right", "repeated state"],
  ["/callback?state=wrong&state=right", "repeated state"],
  ["/callback?state=right&st%61te=wrong", "repeated state"],
] as const)("ignores %s [L08][L09]", ([target, why]) => {
  expect(route({ target })).toBe(`stray: ${why}`);
});

test.for([
  [{ "sec-fetch-mode": "no-cors" }, "403 not a navigation"],
  [{ "sec-fetch-mode": "cors" }, "403 not a navigation"],
  [{ "sec-fetch-mode": "navigate", "sec-purpose": "prefetch;prerender" }, "403 prefetch"],
  [{ "sec-fetch-mode": "navigate", purpose: "prefetch" }, "403 prefetch"],
  [{ "x-moz": "prefetch" }, "403 prefetch"],
  [{ "sec-purpose": ["x", "prefetch"] }, "403 prefetch"],
  [{ origin: "https://evil.example" }, "403 origin"],
  [{ origin: "http://127.0.0.1:8765" }, "403 origin"],
] as const)("refuses what no person went to: %j [L10]", ([headers, expected]) => {
  expect(route({ headers: { ...headers } as RequestFacts["headers"] })).toBe(expected);
});

test("lets in browsers that say they navigate, and those that say nothing [L10]", () => {
  expect(route({ headers: { "sec-fetch-mode": "navigate" } })).toBe("callback");
  // What a browser sends after a cross-origin form was answered with a redirect.
  expect(route({ headers: { origin: "null" } })).toBe("callback");
});
