// A kubeconfig that was written for kubelogin means the same here.

import { expect, test } from "vitest";
import { parseArguments } from "../cli/arguments.ts";
import { fromKubelogin } from "./kubelogin.ts";

const before = ["credential", "kubectl", "get-token"];
const named = ["--oidc-issuer-url=https://id.example.com", "--oidc-client-id=kube"];

function listOf(...words: readonly string[]): readonly string[] | undefined {
  return fromKubelogin([...before, ...named, ...words])?.argumentList.slice(before.length);
}

const issuer = ["--issuer=https://id.example.com", "--client-id=kube"];
const listener = [
  "--redirect-uri=http://localhost:8000",
  "--callback-host=127.0.0.1",
  "--callback-port=8000",
];

test("own flags are left as they are", () => {
  expect(fromKubelogin([...before, "--profile", "kube"])).toBeUndefined();
});

test("the two flags that everybody has, with the address that their clients are registered with", () => {
  expect(listOf()).toEqual([...issuer, "--scopes=openid", ...listener]);
});

test("each flag in Latchkey's words", () => {
  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [["--oidc-use-access-token"], ["--access-token"]],
    [["--skip-open-browser=false"], []],
    [["--skip-open-browser"], ["--no-open-browser"]],
    [["--browser-command", "firefox"], ["--browser-command=firefox"]],
    [["--authentication-timeout-sec=60"], ["--callback-timeout-seconds=60"]],
    [["--certificate-authority", "/etc/ca.pem"], ["--ca-cert-path=/etc/ca.pem"]],
    [["--oidc-pkce-method=S256"], []],
    [["--oidc-pkce-method=no"], ["--no-pkce"]],
    [["--grant-type=auto"], []],
    [["--grant-type=authcode"], ["--flow=auth_code"]],
    [
      ["--grant-type", "authcode-keyboard"],
      ["--flow=auth_code", "--no-open-browser"],
    ],
    [["--grant-type=device-code"], ["--flow=device"]],
    [["--token-cache-dir", "/tmp/x", "-v=1", "--force-refresh"], ["--force-refresh"]],
    [["--oidc-auth-request-extra-params=audience=api"], ["--audience=api"]],
    [["--no-interactive"], ["--no-interactive"]],
  ];
  for (const [typed, meant] of cases) {
    expect(listOf(...typed)).toEqual([...issuer, ...meant, "--scopes=openid", ...listener]);
    expect(parseArguments([...before, ...(listOf(...typed) ?? [])]).subcommand).toBe("kubectl");
  }
});

test("scopes add up", () => {
  expect(listOf("--oidc-extra-scope=email", "--oidc-extra-scope", "groups,email")).toContain(
    "--scopes=openid email groups",
  );
});

test("an address of one's own", () => {
  expect(listOf("--listen-address=0.0.0.0:12345")?.slice(-3)).toEqual([
    "--redirect-uri=http://localhost:12345",
    "--callback-host=0.0.0.0",
    "--callback-port=12345",
  ]);
  expect(listOf("--oidc-redirect-url=https://kube.example.com/cb")).toContain(
    "--redirect-uri=https://kube.example.com/cb",
  );
});

test("a client signs in as itself, without a listener", () => {
  expect(listOf("--grant-type=client-credentials")).toEqual([
    ...issuer,
    "--grant-type=client_credentials",
    "--scopes=openid",
  ]);
});

test("a secret does not come back as an argument [O07]", () => {
  const translated = fromKubelogin([...before, ...named, "--oidc-client-secret", "hunter2"]);
  expect(translated?.clientSecret).toBe("hunter2");
  expect(translated?.argumentList.join(" ")).not.toContain("hunter2");
});

test("what is refused says why", () => {
  const refusal = (word: string): string | undefined =>
    fromKubelogin([...before, ...named, word])?.refusal;
  expect(refusal("--insecure-skip-tls-verify")).toMatch(/--certificate-authority/);
  expect(refusal("--certificate-authority-data=eA==")).toMatch(/into a file/);
  expect(refusal("--grant-type=password")).toMatch(/Accepted: auto, authcode/);
  expect(refusal("--username=x")).toMatch(/password grant/);
  expect(refusal("--oidc-auth-request-extra-params=foo=bar")).toMatch(/not taken/);
});
