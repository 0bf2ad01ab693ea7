// Two names of one server are one place, and anything else is another: a token goes by it.

import { expect, test } from "vitest";
import { placeOf, placeOfUrl } from "./place.ts";

test("a host is compared with its port, in lower case", () => {
  expect(placeOf("git.example.com")).toBe("git.example.com:443");
  expect(placeOf("GIT.Example.com:443")).toBe("git.example.com:443");
  expect(placeOf("git.example.com:8443")).toBe("git.example.com:8443");
  expect(placeOf("127.0.0.1:46500")).toBe("127.0.0.1:46500");
  expect(placeOf("[::1]:8443")).toBe("[::1]:8443");
  expect(placeOf("xn--bcher-kva.example")).toBe("xn--bcher-kva.example:443");
});

test("names beside a host are other places", () => {
  const place = placeOf("git.example.com");
  for (const other of [
    "git.example.com.",
    "git.example.com:80",
    "git.example.co",
    "xgit.example.com",
    "git.example.com.evil.example",
  ]) {
    expect([other, placeOf(other) === place]).toEqual([other, false]);
  }
});

test.each([
  "",
  "*.example.com",
  "bücher.example",
  "ｇit.example.com",
  "git.example.com/",
  "git.example.com#",
  "git.example.com?x",
  "git.example.com\\x",
  "user@git.example.com",
  "git.example.com@evil.example",
  "git.example.com:",
  "git.example.com:99999",
  "git.example.com\n",
  " git.example.com",
  "git%2eexample.com",
  "127.1",
  "0x7f.0.0.1",
  "2130706433",
  "[::0001]",
  "::1",
  "a".repeat(400),
])("no place: %j", (text) => {
  expect(placeOf(text)).toBeUndefined();
});

test("an address is its server's place, whatever stands behind it", () => {
  expect(placeOfUrl("https://git.example.com/a/b?c#d")).toBe("git.example.com:443");
  expect(placeOfUrl("HTTPS://GIT.example.com")).toBe("git.example.com:443");
  expect(placeOfUrl("grpcs://cache.example.com/Service/Method")).toBe("cache.example.com:443");
  expect(placeOfUrl("http://127.0.0.1:8080/x")).toBe("127.0.0.1:8080");
  expect(placeOfUrl("http://localhost/x")).toBe("localhost:80");
});

test.each([
  "http://git.example.com/",
  "http://localhost.example.com/",
  "ftp://git.example.com/",
  "https://user:password@git.example.com/",
  "https://evil.example\\@git.example.com/",
  "git.example.com",
  "https://",
  "file:///etc/passwd",
])("no token goes to %j", (address) => {
  expect(placeOfUrl(address)).toBeUndefined();
});
