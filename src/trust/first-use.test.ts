// What is accepted silently at first use, and what only looks as if it could not phish.
import { expect, test } from "vitest";
import type { ServerConfig } from "../server/server-config.ts";
import { createMemoryPins } from "./memory-pins.ts";
import type { TrustCircumstances } from "./server-trust.ts";
import { outcomeOf, policies } from "./testing.ts";

// The column: first-use, ask, pinned; nobody to ask.
const untrusted = "issuer_untrusted";
const silent = "first-use";
test.each<[string, Partial<ServerConfig>, Partial<TrustCircumstances>, string[]]>([
  ["a stranger", {}, {}, [untrusted, untrusted, untrusted]],
  ["a server on loopback", {}, { host: "127.0.0.1:8443" }, [silent, untrusted, silent]],
  ["a server on loopback, IPv6", {}, { host: "[::1]:8443" }, [silent, untrusted, silent]],
  ["the caller's client", {}, { callerClientId: "own" }, [silent, untrusted, untrusted]],
  [
    "the issuer on the server's own host",
    { issuer: "https://data.example.com/realms/a" },
    {},
    [silent, untrusted, untrusted],
  ],
  [
    "on its own host, another port: TLS names hosts",
    { issuer: "https://data.example.com" },
    { host: "data.example.com:50051" },
    [silent, untrusted, untrusted],
  ],
  [
    "on its own host, written in another way",
    { issuer: "https://DATA.example.com" },
    { host: "b\u00fccher.example" },
    [untrusted, untrusted, untrusted],
  ],
  [
    "on its own host, an IDN",
    { issuer: "https://xn--bcher-kva.example" },
    { host: "b\u00fccher.example" },
    [silent, untrusted, untrusted],
  ],
  // D20: no prefix, no suffix, no neighbour.
  [
    "a subdomain",
    { issuer: "https://login.data.example.com" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  ["the domain above", { issuer: "https://example.com" }, {}, [untrusted, untrusted, untrusted]],
  ["a neighbour", { issuer: "https://id.example.com" }, {}, [untrusted, untrusted, untrusted]],
  [
    "a longer name",
    { issuer: "https://evildata.example.com" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  [
    "the host in front",
    { issuer: "https://data.example.com.evil.example" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  [
    "the host as user information",
    { issuer: "https://data.example.com@evil.example" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  [
    "the host in the path",
    { issuer: "https://evil.example/data.example.com" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  ["a root label", { issuer: "https://data.example.com." }, {}, [untrusted, untrusted, untrusted]],
  [
    "its own host without TLS",
    { issuer: "http://data.example.com" },
    {},
    [untrusted, untrusted, untrusted],
  ],
  [
    "a host like loopback",
    {},
    { host: "127.0.0.1.evil.example" },
    [untrusted, untrusted, untrusted],
  ],
  ["localhost in front", {}, { host: "localhost.evil.example" }, [untrusted, untrusted, untrusted]],
  // Whoever sits on the way may have said it.
  [
    "the caller's client, unverified",
    {},
    { callerClientId: "own", isVerified: false },
    [untrusted, untrusted, untrusted],
  ],
  [
    "its own host, unverified",
    { issuer: "https://data.example.com" },
    { isVerified: false },
    [untrusted, untrusted, untrusted],
  ],
  // What counts is the issuer that is used.
  [
    "the caller's issuer on the server's own host",
    {},
    { callerIssuer: "https://data.example.com" },
    [silent, untrusted, untrusted],
  ],
  [
    "the caller's issuer elsewhere, whatever the server says of its own host",
    { issuer: "https://data.example.com" },
    { callerIssuer: "https://id.example.com" },
    [untrusted, untrusted, untrusted],
  ],
  // The issuer is the caller's, and the client could be anybody's there (D10).
  [
    "the caller's issuer, the server's client",
    {},
    { callerIssuer: "https://id.example.com" },
    [untrusted, untrusted, untrusted],
  ],
])("%s [D08, D20]", async (_what, config, changes, outcomes) => {
  for (const [place, policy] of policies.entries()) {
    const pins = createMemoryPins();
    expect(await outcomeOf(config, { ...changes, pins, policy })).toBe(
      changes.callerIssuer === undefined || outcomes[place] === untrusted
        ? outcomes[place]
        : `${outcomes[place]}, explicit`,
    );
    expect(await pins.list()).toHaveLength(outcomes[place] === untrusted ? 0 : 1);
  }
});
