// What a person may call a server by.
import { expect, test } from "vitest";
import { pinsNamed } from "./named-pins.ts";
import type { ServerPin } from "./pins.ts";

const pins = [
  "https://data.example.com",
  "https://data.example.com/v2",
  "grpcs://data.example.com:50051",
  "https://api.example.com/v1",
  "https://xn--bcher-kva.example",
  "an object of a program",
].map((server): ServerPin => ({
  server,
  issuer: "https://id.example.com",
  clientId: "c",
  audience: undefined,
  scopes: undefined,
  acceptedBy: "person",
  pinnedAt: 0,
}));

test.each<[string, readonly string[]]>([
  ["https://data.example.com", ["https://data.example.com"]],
  ["https://DATA.example.com/", ["https://data.example.com"]],
  ["https://data.example.com/v2", ["https://data.example.com/v2"]],
  ["data.example.com", ["https://data.example.com", "https://data.example.com/v2"]],
  ["data.example.com:50051", ["grpcs://data.example.com:50051"]],
  ["API.example.com", ["https://api.example.com/v1"]],
  ["b\u00fccher.example", ["https://xn--bcher-kva.example"]],
  ["an object of a program", ["an object of a program"]],
  // No part of a name is the name.
  ["example.com", []],
  ["data.example.com.evil.example", []],
  ["https://data.example.com/v", []],
  ["http://data.example.com", []],
  ["data.example.com/v3", []],
  ["https://api.example.com@evil.example", []],
  ["", []],
])("%s", (name, expected) => {
  expect(pinsNamed(name, pins).map(({ server }) => server)).toEqual(expected);
});
