import { expect, test } from "vitest";
import { logoutUrlOf, withIdTokenHint } from "./logout-url.ts";

const record = {
  clientId: "my cli&x=1",
  idToken: "aaa.bbb.ccc",
  endSessionEndpoint: "https://id.example.com/logout?tenant=a&client_id=other",
};

test("keeps the provider's own parameters, names the client, and holds no token [I1]", () => {
  const url = logoutUrlOf(record) ?? "";
  expect([...new URL(url).searchParams]).toEqual([
    ["tenant", "a"],
    ["client_id", "my cli&x=1"],
  ]);
  expect(url).not.toContain("bbb");
});

test.each([
  ["without an end_session_endpoint", { ...record, endSessionEndpoint: undefined }],
  ["without an ID token", { ...record, idToken: undefined }],
  ["with another scheme", { ...record, endSessionEndpoint: "javascript:alert(1)" }],
  ["with a file", { ...record, endSessionEndpoint: "file:///etc/passwd" }],
  [
    "with user information",
    { ...record, endSessionEndpoint: "https://id.example.com@evil.example/" },
  ],
  ["with no URL", { ...record, endSessionEndpoint: "/logout" }],
])("%s there is no logout page", (_name, { endSessionEndpoint, idToken, clientId }) => {
  const given = {
    clientId,
    ...(endSessionEndpoint === undefined ? {} : { endSessionEndpoint }),
    ...(idToken === undefined ? {} : { idToken }),
  };
  expect(logoutUrlOf(given)).toBeUndefined();
});

test("[F-U20] what is opened in the browser has the ID token as a hint besides, and no address to come back to", () => {
  const url = withIdTokenHint(logoutUrlOf(record) ?? "", record.idToken);
  expect([...new URL(url).searchParams]).toEqual([
    ["tenant", "a"],
    ["client_id", "my cli&x=1"],
    ["id_token_hint", "aaa.bbb.ccc"],
  ]);
});
