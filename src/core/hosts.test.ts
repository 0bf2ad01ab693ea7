import { expect, test } from "vitest";
import { hostAndPort, isLocalhostName, isLoopbackHost } from "./hosts.ts";

test.each([
  ["https://id.example.com/a?code=1", "id.example.com:443"],
  ["http://id.example.com", "id.example.com:80"],
  ["https://user:pass@id.example.com:8443/", "id.example.com:8443"],
  ["http://[::1]:8080/", "[::1]:8080"],
  ["no url", "an address that is none"],
])("names %s as %s", (url, host) => {
  expect(hostAndPort(url)).toBe(host);
});

test.each([
  "127.0.0.1",
  "127.255.255.254",
  "::1",
  "[::1]",
  "localhost",
  "LOCALHOST",
  "a.localhost",
])("counts %s as loopback", (hostname) => {
  expect(isLoopbackHost(hostname)).toBe(true);
});

test.each([
  "127.0.0.1.evil.com",
  "127.0.0.256",
  "127.1",
  "0.0.0.0",
  "[::]",
  "::ffff:10.0.0.1",
  "localhost.evil.com",
  "evillocalhost",
  ".localhost",
  "10.0.0.1",
  "",
])("does not count %s as loopback", (hostname) => {
  expect(isLoopbackHost(hostname)).toBe(false);
});

test("a name is not looked up where it is localhost or below it, and nowhere else [F-S5]", () => {
  for (const name of ["localhost", "LocalHost", "idp.localhost", "a.b.localhost"]) {
    expect([name, isLocalhostName(name)]).toEqual([name, true]);
  }
  for (const name of [".localhost", "localhost.", "localhost.example.com", "127.0.0.1", ""]) {
    expect([name, isLocalhostName(name)]).toEqual([name, false]);
  }
});
