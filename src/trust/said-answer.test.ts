// What a flag has to say before it accepts something.
import { expect, test } from "vitest";
import { unsaidOf, type SaidAnswer } from "./said-answer.ts";

const answer = {
  issuer: "https://login.example.net",
  clientId: "graph-cli",
  scopes: ["openid", "profile"],
  audience: "https://api",
};
const said: SaidAnswer = { ...answer, scopes: ["profile"] };

test.each<[Partial<SaidAnswer>, readonly string[]]>([
  [{}, []],
  [{ scopes: ["profile", "email"] }, []],
  [{ issuer: undefined }, ["issuer"]],
  [{ issuer: "https://login.example.net/" }, ["issuer"]],
  [{ clientId: undefined }, ["clientId"]],
  [{ clientId: "Graph-cli" }, ["clientId"]],
  [{ audience: undefined }, ["audience"]],
  [{ scopes: undefined }, ["scopes"]],
  [{ scopes: ["openid"] }, ["scopes"]],
  [{ scopes: ["profile email"] }, ["scopes"]],
])("%j", (changes, expected) => {
  expect(unsaidOf({ ...said, ...changes }, answer)).toEqual(expected);
});

test("what a server does not name need not be said, and an audience that it does not name is too much", () => {
  const none = { issuer: answer.issuer, clientId: "", scopes: [] };
  const nothing = { clientId: undefined, audience: undefined, scopes: undefined };
  expect(unsaidOf({ issuer: answer.issuer, ...nothing }, none)).toEqual([]);
  expect(unsaidOf({ issuer: answer.issuer, ...nothing, audience: "x" }, none)).toEqual([
    "audience",
  ]);
});
