import { expect, test } from "vitest";
import { refusalOf, type AdmissionRules } from "./admission.ts";
import { hostsOfPort, readListenPlace } from "./listen-place.ts";

const secret = "s".repeat(40);
const host = "127.0.0.1:8080";
const port: AdmissionRules = { hosts: hostsOfPort(8080), secret };
const socket: AdmissionRules = { hosts: undefined, secret: undefined };
const basic = (text: string): string => `Basic ${Buffer.from(text).toString("base64")}`;
const shown = { host, authorization: `Bearer ${secret}` };

test.each([
  ["a bearer token", `Bearer ${secret}`, undefined],
  ["a password, whatever the name", basic(`anyone:${secret}`), undefined],
  ["nothing", undefined, 401],
  ["another bearer token", `Bearer ${secret}x`, 401],
  ["the beginning of it", `Bearer ${secret.slice(1)}`, 401],
  ["it as the name", basic(`${secret}:`), 401],
  ["it under another scheme", `Digest ${secret}`, 401],
  ["no colon", basic(secret), 401],
])("[X03] a client of a port that shows %s", (_what, authorization, status) => {
  const headers = authorization === undefined ? { host } : { host, authorization };
  expect(refusalOf(headers, port)?.status).toBe(status);
});

test.each([
  ["evil.example:8080", 421],
  ["127.0.0.1:8081", 421],
  ["127.0.0.1", 421],
  ["", 421],
  [host, undefined],
  ["localhost:8080", undefined],
])("[X04] Host: %s, with the secret", (name, status) => {
  expect(refusalOf({ ...shown, host: name }, port)?.status).toBe(status);
});

test.each([
  [{ origin: "https://evil.example" }, 403],
  [{ origin: "null" }, 403],
  [{ origin: "http://127.0.0.1:3000" }, 403],
  [{ origin: `http://${host}` }, undefined],
  [{ "sec-fetch-site": "cross-site" }, 403],
  [{ "sec-fetch-site": "same-site" }, 403],
  [{ "sec-fetch-site": "cross-site", origin: `http://${host}` }, 403],
  [{ "sec-fetch-site": "none" }, undefined],
  [{ "sec-fetch-site": "same-origin" }, undefined],
  [{ referer: "https://evil.example/page" }, 403],
  [{ referer: `http://${host}/page` }, undefined],
  [{ referer: "about:blank" }, 403],
])("[X05] a page's request, with the secret: %j", (headers, status) => {
  expect(refusalOf({ ...shown, ...headers }, port)?.status).toBe(status);
});

test.each([
  [{ host: "api.example.com" }, undefined],
  [{ origin: "https://evil.example" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
  // What a client says of where a link was found is between it and the server.
  [{ referer: "https://docs.example/" }, undefined],
])("[X05] at a socket: %j", (headers, status) => {
  expect(refusalOf(headers, socket)?.status).toBe(status);
});

test.each([
  "0.0.0.0:80",
  "192.168.0.1:8080",
  "[::]:8080",
  "api.example.com:80",
  ":8080",
  "8080",
  "",
])("[X03] a proxy does not listen at %j", (typed) => {
  expect(() => readListenPlace(typed, (path) => path)).toThrow(
    expect.objectContaining({ code: "invalid_option" }),
  );
});

test.each([
  ["127.0.0.1:0", { kind: "port", port: 0 }],
  ["127.0.0.1:8080", { kind: "port", port: 8080 }],
  ["run/api.sock", { kind: "socket", path: "/abs/run/api.sock" }],
  ["/run/a:1/b:2.sock", { kind: "socket", path: "/abs//run/a:1/b:2.sock" }],
])("it listens at %s", (typed, place) => {
  expect(readListenPlace(typed, (path) => `/abs/${path}`)).toEqual(place);
});
