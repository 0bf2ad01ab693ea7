// Addresses of Redis: what is taken, and what it means.
import { expect, test } from "vitest";

import { parseRedisAddress } from "./redis-address.ts";

test.each([
  ["redis://h", { kind: "server", tls: false, location: "h:6379" }],
  [
    "rediss://u:p%40ss@h:1/2",
    { tls: true, username: "u", password: "p@ss", database: 2, location: "h:1" },
  ],
  ["redis://:secret@h", { username: undefined, password: "secret", location: "h:6379" }],
  ["redis://[::1]:7000", { hosts: [{ host: "::1", port: 7000 }], location: "[::1]:7000" }],
  ["redis+cluster://a:1,b", { kind: "cluster", location: "a:1,b:6379" }],
  [
    "rediss+sentinel://a,b:2/main/3",
    { kind: "sentinel", tls: true, name: "main", database: 3, location: "a:26379,b:2" },
  ],
])("%s", (text, expected) => {
  expect(parseRedisAddress(text)).toMatchObject(expected);
});

test.each([
  "",
  "http://h",
  "redis:h",
  "redis://",
  "redis://a,b",
  "redis://h:0",
  "redis://h:65536",
  "redis://h/x",
  "redis://h?db=1",
  "redis://h h",
  "redis://%zz:p@h",
  "redis+cluster://a/1",
  "redis+sentinel://a",
  "redis+sentinel://a/",
  `redis://${"h".repeat(5000)}`,
])("%j is none", (text) => {
  expect(parseRedisAddress(text)).toBeUndefined();
});
