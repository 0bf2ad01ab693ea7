// Which requests mean something. Changes when a rule of L06 to L11 does.
import { expect, test } from "vitest";
import { routeAnswer, routeRequest } from "./routes.ts";
import type { RequestFacts } from "./routes.ts";

const rules = {
  authorities: new Set(["127.0.0.1:8765"]),
  callbackPath: "/callback",
  outcomePath: "/outcome",
  responseMode: "query" as "query" | "form_post",
  isExpectedState: (candidate: string) => candidate === "right",
};

function route(
  changes: Partial<RequestFacts> = {},
  responseMode: "query" | "form_post" = "query",
): string {
  const result = routeRequest(
    {
      method: "GET",
      target: "/callback?code=c&state=right",
      headers: {},
      hosts: ["127.0.0.1:8765"],
      ...changes,
    },
    { ...rules, responseMode },
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

const posted = { method: "POST", target: "/callback" };

test.for([
  [{}, "form"],
  // What stands in the address of a posted answer counts for nothing; a redirect URI may have a query of its own.
  [{ target: "/callback?code=c&state=right" }, "form"],
  [{ headers: { "sec-fetch-mode": "navigate", origin: "https://id.example.com" } }, "form"],
  [{ headers: { origin: "null" } }, "form"],
  [{ hosts: ["evil.example"] }, "421 host"],
  [{ target: "/callback/" }, "404 path"],
  [{ target: "/outcome" }, "405 method"],
  [{ method: "PUT" }, "405 method"],
  [{ headers: { "sec-fetch-mode": "cors" } }, "403 not a navigation"],
  [{ headers: { "sec-fetch-mode": "navigate", "sec-purpose": "prefetch" } }, "403 prefetch"],
] as const)("where a form is awaited, %j is: %s [F-U18][L06][L07][L10]", ([changes, expected]) => {
  expect(route({ ...posted, ...(changes as Partial<RequestFacts>) }, "form_post")).toBe(expected);
});

test.for([
  ["/callback?code=c&state=right", "stray: in the address"],
  ["/callback?code=c&error=x&state=right", "stray: in the address"],
  ["/callback?code=c&state=wrong", "stray: another state"],
  ["/callback", "stray: no state"],
  // A provider that does not know the response mode has no other way to say so.
  ["/callback?error=unsupported_response_mode&state=right", "callback"],
  ["/callback?error=access_denied&state=wrong", "stray: another state"],
  ["/outcome", "outcome"],
] as const)(
  "where a form is awaited, a GET of %s is: %s [F-U18][L08][L09]",
  ([target, expected]) => {
    expect(route({ target }, "form_post")).toBe(expected);
  },
);

test("a form is judged by its state like an address [F-U18][L08]", () => {
  const kindOf = (body: string): string => routeAnswer(new URLSearchParams(body), rules).kind;
  expect(kindOf("code=c&state=right")).toBe("callback");
  expect(kindOf("error=access_denied&state=right")).toBe("callback");
  for (const body of ["", "code=c", "code=c&state=wrong", "code=c&state=right&state=right"]) {
    expect(kindOf(body)).toBe("stray");
  }
});

test("only a browser that posts to the callback counts as a provider that posts its answer [F-U18]", () => {
  const isPostedAnswer = (changes: Partial<RequestFacts>): boolean => {
    const request = { ...posted, headers: {}, hosts: ["127.0.0.1:8765"], ...changes };
    const result = routeRequest(request, rules);
    return result.kind === "refused" && result.isPostedAnswer === true;
  };
  expect(isPostedAnswer({})).toBe(true);
  expect(isPostedAnswer({ headers: { "sec-fetch-mode": "navigate" } })).toBe(true);
  for (const other of [
    { method: "HEAD" },
    { target: "/outcome" },
    { target: "/" },
    { hosts: ["evil.example"] },
    { headers: { "sec-fetch-mode": "no-cors" } },
  ]) {
    expect(isPostedAnswer(other)).toBe(false);
  }
});
