import { expect, test } from "vitest";
import { answerHeaders, requestHeaders } from "./header-rules.ts";

const upstream = new URL("https://api.example.com");

test.each([
  ["Authorization", "Bearer own"],
  ["Proxy-Authorization", "Basic eDp5"],
  ["Proxy-Connection", "keep-alive"],
  ["Host", "localhost"],
  ["Keep-Alive", "timeout=5"],
  ["TE", "trailers"],
  ["Trailer", "x-sum"],
  ["Upgrade", "h2c"],
  ["HTTP2-Settings", "AAMAAABkAAQAoAAAAAIAAAAA"],
  ["Expect", "100-continue"],
])("[X01] a client's %s goes no further", (name, value) => {
  expect(requestHeaders([name, value, "Accept", "a/b"], true)).toEqual({ accept: "a/b" });
});

test("[X01] what Connection names goes no further, however it is written", () => {
  const raw = ["X-Hop", "1", "Connection", "close, x-HOP", "connection", "x-two", "X-Two", "2"];
  expect(requestHeaders([...raw, "X-Three", "3"], true)).toEqual({ "x-three": "3" });
});

test("headers of one name are joined, cookies by semicolons", () => {
  const raw = ["X-A", "1", "x-a", "2", "Cookie", "a=1", "Cookie", "b=2"];
  expect(requestHeaders(raw, true)).toEqual({ "x-a": "1, 2", cookie: "a=1; b=2" });
});

test("[X05] a port's cookies are every local program's: they go no further", () => {
  expect(requestHeaders(["Cookie", "a=1", "X-A", "1"], false)).toEqual({ "x-a": "1" });
  expect(answerHeaders(["Set-Cookie", "a=1", "X-A", "1"], upstream, false)).toEqual(["X-A", "1"]);
  expect(answerHeaders(["Set-Cookie", "a=1", "Set-Cookie", "b=2"], upstream, true)).toEqual([
    "Set-Cookie",
    "a=1",
    "Set-Cookie",
    "b=2",
  ]);
});

test.each([
  [["Content-Length", "5"], { "content-length": "5" }],
  [["Content-Length", "5", "Connection", "content-length"], { "content-length": "5" }],
  [["Transfer-Encoding", "chunked"], { "transfer-encoding": "chunked" }],
  [[], {}],
])("[X02] the length of a body is said once: %j", (raw, framing) => {
  expect(requestHeaders(raw, true)).toEqual(framing);
});

test.each([
  ["https://api.example.com/new?a=b#c", "/new?a=b#c"],
  ["https://api.example.com//evil.example/x", "/evil.example/x"],
  ["https://other.example/new", "https://other.example/new"],
  ["http://api.example.com/new", "http://api.example.com/new"],
  ["../up", "../up"],
])("a redirect to %s is answered as %s", (sent, answered) => {
  expect(answerHeaders(["Location", sent], upstream, true)).toEqual(["Location", answered]);
});

test("an answer keeps the length of its body, and loses what is about the connection", () => {
  const raw = ["Connection", "content-length, x-hop", "Content-Length", "3", "X-Hop", "1"];
  expect(answerHeaders([...raw, "Transfer-Encoding", "chunked"], upstream, true)).toEqual([
    "Content-Length",
    "3",
  ]);
});
