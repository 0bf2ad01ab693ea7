// What the functions of `latchkey/stores/redis` refuse before anything is sent.
import { describe, expect, test } from "vitest";
import { createResourceServer } from "../resource-server/resource-server.ts";
import { redisAnswers } from "./redis-answers.ts";
import { redisStore } from "./redis-store.ts";

const key = new Uint8Array(32);
const url = "redis://127.0.0.1:1";

describe.each([
  ["redisStore", redisStore],
  ["redisAnswers", redisAnswers],
] as const)("%s", (name, make) => {
  test.each([
    ["no address and no client", { key }],
    ["both", { key, url, client: {} }],
    ["what is no address", { key, url: "http://127.0.0.1" }],
    ["what is no client", { key, client: {} }],
    ["no key", { url }],
    ["a short key", { url, key: new Uint8Array(31) }],
    ["a prefix with a wildcard", { url, key, prefix: "*" }],
    ["an unknown option", { url, key, secret: "x" }],
  ] as const)("refuses %s", (_name, settings) => {
    expect(() => make(settings as never)).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  });

  test("names itself, and not the password", () => {
    expect(() => make({ key })).toThrow(new RegExp(`\`${name}\``));
    const message = (() => {
      try {
        make({ key, url: "redis://user:hunter2@h:x" });
      } catch (error) {
        return JSON.stringify(error) + String(error);
      }
      return "hunter2";
    })();
    expect(message).not.toContain("hunter2");
  });
});

test("a resource server takes what redisAnswers makes, and nothing else", async () => {
  const options = { issuer: "https://id.example.com", audience: "api" };
  const sharedAnswers = redisAnswers({ url, key });
  createResourceServer({ ...options, sharedAnswers });
  await sharedAnswers.close();
  for (const other of [{}, { look() {} }, redisAnswers, null]) {
    expect(() => createResourceServer({ ...options, sharedAnswers: other as never })).toThrow(
      expect.objectContaining({ code: "invalid_option" }),
    );
  }
});
