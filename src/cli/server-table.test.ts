// The table of servers: which profile serves a host, and every fault of it in words.

import { expect, test } from "vitest";
import { placeOf } from "../helpers/place.ts";
import { readServerRow, serverRows } from "./server-table.ts";
import { createHome } from "./testing.ts";

function rows(text: string): Record<string, unknown> {
  return Object.fromEntries(serverRows(text, "config.toml"));
}

test("a row by its place, with and without a port", () => {
  const text = `
[server."Git.Example.com"]
profile = "work"
[server."registry.example.com:5000"]
profile = "other"
username = "<token>"
`;
  expect(rows(text)).toMatchObject({
    "git.example.com:443": { profile: "work" },
    "registry.example.com:5000": { profile: "other", username: "<token>" },
  });
});

test("a server that is not there has no row", () => {
  const home = createHome();
  const machine = {
    environment: {},
    platform: "linux",
    homeDirectory: home.path,
    workingDirectory: home.path,
  } as const;
  const place = placeOf("git.example.com");
  if (place === undefined) throw new Error("no place");
  try {
    expect(readServerRow(place, machine)).toBeUndefined();
    home.configure('[server."git.example.com:8443"]\nprofile = "work"\n');
    expect(readServerRow(place, machine)).toBeUndefined();
    home.configure('[server."git.example.com"]\nprofile = "work"\n');
    expect(readServerRow(place, machine)?.profile).toBe("work");
  } finally {
    home.remove();
  }
});

test.each([
  ['[server."bücher.example"]\nprofile = "work"', /xn--/],
  ['[server."*.example.com"]\nprofile = "work"', /Write it as in/],
  ['[server."https://git.example.com"]\nprofile = "work"', /Write it as in/],
  ['[server."git.example.com"]', /profile in .* is not the name/],
  ['[server."git.example.com"]\nprofile = "../work"', /is not the name/],
  ['[server."git.example.com"]\nprofile = "work"\nusername = "a:b"', /is not a user name/],
  ['[server."git.example.com"]\nprofile = "work"\nusernam = "a"', /Did you mean username/],
  ['[server]\n"git.example.com" = 5', /is not a table/],
  [
    '[server."git.example.com"]\nprofile = "a"\n[server."git.example.com:443"]\nprofile = "b"',
    /Two tables/,
  ],
])("a fault is said: %s", (text, words) => {
  expect(() => rows(text)).toThrow(words);
});
