// The protocol of each tool: what it sends, and what it gets for that.

import { expect, test } from "vitest";
import { commandSpecs } from "../cli/commands/specs.ts";
import { tool as bazel } from "./bazel.ts";
import { tool as cargo } from "./cargo.ts";
import { tool as docker } from "./docker.ts";
import { tool as gcp } from "./gcp.ts";
import { tool as headers } from "./headers.ts";
import { tool as keyring } from "./keyring.ts";
import { tool as kubectl } from "./kubectl.ts";
import { tool as terraform } from "./terraform.ts";
import { answer, handed } from "./testing.ts";
import { HelperFailure } from "./tool.ts";
import { toolLoaders } from "./tools.ts";

const failing = (): never => {
  throw new HelperFailure("Nobody is signed in. Run: latchkey login [login_required: no_token]", 3);
};
const unknown = (): undefined => undefined;

test("each command has its helper, and each helper its command", () => {
  const spec = commandSpecs.find(({ name }) => name === "credential");
  expect(Object.keys(toolLoaders).toSorted()).toEqual(
    spec?.subcommands?.map(({ name }) => name).toSorted(),
  );
});

test("kubectl: an ExecCredential in the version that was asked for, with an end before the token's", async () => {
  const info = JSON.stringify({ apiVersion: "client.authentication.k8s.io/v1beta1", spec: {} });
  const { printed, requests } = await answer(kubectl, {
    environment: { KUBERNETES_EXEC_INFO: info },
  });
  expect(JSON.parse(printed)).toEqual({
    apiVersion: "client.authentication.k8s.io/v1beta1",
    kind: "ExecCredential",
    status: { token: "token-1", expirationTimestamp: "2026-12-01T11:59:50Z" },
  });
  expect(requests).toEqual([{ about: info }]);
  expect(kubectl.tokenKind).toBe("id_token");
});

test("kubectl: by hand the newest version, and no end where the token has none", async () => {
  const { printed } = await answer(kubectl, { token: () => ({ ...handed, expiresAt: undefined }) });
  expect(JSON.parse(printed)).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "token-1" },
  });
});

test("kubectl: a token of a few seconds is not over before it is used", async () => {
  const expiresAt = new Date("2026-12-01T11:00:20Z");
  const { printed } = await answer(kubectl, { token: () => ({ ...handed, expiresAt }) });
  expect(printed).toContain("2026-12-01T11:00:15Z");
});

test.each(["{", "null", '{"apiVersion":"client.authentication.k8s.io/v1alpha1"}'])(
  "kubectl: another version is refused: %s",
  async (info) => {
    await expect(answer(kubectl, { environment: { KUBERNETES_EXEC_INFO: info } })).rejects.toThrow(
      /set apiVersion in the kubeconfig/,
    );
  },
);

test("docker: the token as a password for the server that was named", async () => {
  const { printed, requests } = await answer(docker, { words: ["get"], input: "127.0.0.1:5000\n" });
  expect(JSON.parse(printed)).toEqual({
    ServerURL: "127.0.0.1:5000",
    Username: "oauth2",
    Secret: "token-1",
  });
  expect(requests).toEqual([{ place: "127.0.0.1:5000" }]);
  const hub = await answer(docker, { words: ["get"], input: "https://index.docker.io/v1/" });
  expect(hub.requests).toEqual([{ place: "index.docker.io:443" }]);
});

test("docker: an identity token by the user name of the table", async () => {
  const { printed } = await answer(docker, {
    words: ["get"],
    input: "registry.example.com",
    token: () => ({ ...handed, username: "<token>" }),
  });
  expect(JSON.parse(printed)).toMatchObject({ Username: "<token>" });
});

test("docker: another server has nothing, in the words that every client knows", async () => {
  for (const input of ["registry.example.com", "http://registry.example.com", "a b"]) {
    const { status, printed } = await answer(docker, { words: ["get"], input, token: unknown });
    expect([status, printed]).toEqual([1, "credentials not found in native keychain\n"]);
  }
});

test("docker: a failure is said on both streams", async () => {
  const failed = await answer(docker, { words: ["get"], input: "r.example.com", token: failing });
  expect(failed.status).toBe(1);
  expect(failed.printed).toMatch(/\[login_required: no_token\]\n$/);
  expect(failed.told).toBe(failed.printed);
});

test("docker: nothing is kept of others, and there is no list", async () => {
  expect(await answer(docker, { words: ["list"] })).toMatchObject({ status: 0, printed: "{}\n" });
  expect(await answer(docker, { words: ["erase"] })).toMatchObject({ status: 0, printed: "" });
  expect(await answer(docker, { words: ["store"] })).toMatchObject({ status: 1 });
  await expect(answer(docker, { words: ["steal"] })).rejects.toThrow(/Known: get, store/);
});

function cargoRequest(url: string, kind = "get"): string {
  return JSON.stringify({
    v: 1,
    registry: { "index-url": url },
    kind,
    operation: "read",
    args: [],
  });
}

test("cargo: says its version, then the header for each request", async () => {
  const input = `${cargoRequest("sparse+https://crates.example.com/index/")}\n`;
  const { printed, requests } = await answer(cargo, { input });
  const [hello = "", token = ""] = printed.split("\n");
  expect(JSON.parse(hello)).toEqual({ v: [1] });
  expect(JSON.parse(token)).toEqual({
    Ok: {
      kind: "get",
      token: "Bearer token-1",
      cache: "expires",
      expiration: Date.parse("2026-12-01T12:00:00Z") / 1000,
      operation_independent: true,
    },
  });
  expect(requests).toEqual([{ place: "crates.example.com:443" }]);
});

test("cargo: what it cannot have", async () => {
  const said = async (line: string, token = unknown): Promise<unknown> => {
    const { printed } = await answer(cargo, { input: line, token });
    return JSON.parse(printed.split("\n")[1] ?? "");
  };
  expect(await said(cargoRequest("https://other.example.com/"))).toEqual({
    Err: { kind: "url-not-supported" },
  });
  expect(await said(cargoRequest("https://other.example.com/", "login"))).toEqual({
    Err: { kind: "operation-not-supported" },
  });
  expect(await said("x")).toEqual({ Err: { kind: "operation-not-supported" } });
  expect(await said(cargoRequest("https://a.example.com/"), failing)).toEqual({
    Err: {
      kind: "other",
      message: expect.stringContaining("[login_required") as string,
      "caused-by": [],
    },
  });
});

test("gcp: the ID token, or why there is none, and always a good end", async () => {
  const { printed } = await answer(gcp);
  expect(JSON.parse(printed)).toEqual({
    version: 1,
    success: true,
    token_type: "urn:ietf:params:oauth:token-type:id_token",
    id_token: "token-1",
    expiration_time: Date.parse("2026-12-01T12:00:00Z") / 1000,
  });
  const failed = await answer(gcp, { token: failing });
  expect(failed.status).toBe(0);
  expect(JSON.parse(failed.printed)).toMatchObject({ success: false, code: "login_required" });
});

test("bazel: headers for the address, none for another server", async () => {
  const input = '{"uri":"https://cache.example.com/a/b"}';
  const { printed, requests } = await answer(bazel, { words: ["get"], input });
  expect(JSON.parse(printed)).toEqual({
    headers: { Authorization: ["Bearer token-1"] },
    expires: "2026-12-01T12:00:00.000Z",
  });
  expect(requests).toEqual([{ place: "cache.example.com:443" }]);
  const other = await answer(bazel, { words: ["get"], input, token: unknown });
  expect(other.printed).toBe("{}\n");
  await expect(answer(bazel, { words: ["get"], input: "[]" })).rejects.toThrow(/not a request/);
  await expect(answer(bazel, { words: ["put"], input })).rejects.toThrow(/Known: get/);
});

test("terraform: the token of a host, none for another, and nothing is stored", async () => {
  const words = ["get", "registry.example.com"];
  expect((await answer(terraform, { words })).printed).toBe('{"token":"token-1"}\n');
  expect((await answer(terraform, { words, token: unknown })).printed).toBe("{}\n");
  await expect(answer(terraform, { words: ["store", "x"] })).rejects.toThrow(
    /keeps none of others/,
  );
});

test("headers: one JSON object", async () => {
  expect((await answer(headers)).printed).toBe('{"Authorization":"Bearer token-1"}\n');
});

test("keyring: the token as the password of an index, in each form that pip and uv read", async () => {
  const words = ["get", "https://pypi.example.com/simple/", "alice"];
  const plain = await answer(keyring, { words });
  expect([plain.status, plain.printed]).toEqual([0, "token-1\n"]);
  expect(plain.requests).toEqual([{ place: "pypi.example.com:443" }]);
  const both = await answer(keyring, { words: words.slice(0, 2), flags: { mode: "creds" } });
  expect(both.printed).toBe("oauth2\ntoken-1\n");
  const json = await answer(keyring, { words, flags: { mode: "creds", output: "json" } });
  expect(JSON.parse(json.printed)).toEqual({ username: "alice", password: "token-1" });
  const named = await answer(keyring, {
    words: ["get", "pypi.example.com"],
    flags: { mode: "creds" },
    token: () => ({ ...handed, username: "__token__" }),
  });
  expect(named.printed).toBe("__token__\ntoken-1\n");
});

test("keyring: nothing for a service that is not in the table or not a server, and nothing is kept", async () => {
  const none = await answer(keyring, { words: ["get", "pypi.example.com"], token: unknown });
  expect([none.status, none.printed, none.told]).toEqual([1, "", ""]);
  for (const service of ["http://pypi.example.com/", "a b", "", "https://u@pypi.example.com/"]) {
    const { status, requests } = await answer(keyring, { words: ["get", service] });
    expect([service, status, requests]).toEqual([service, 1, []]);
  }
  await expect(answer(keyring, { words: ["set", "a", "b"], input: "x" })).rejects.toThrow(
    /keeps no password/,
  );
});
