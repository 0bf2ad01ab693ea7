// kubectl with one sign-in: a crowd signs in once, and a token that the server dropped is renewed.

import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import { needs } from "../support/debian-packages.ts";
import { linesOfPage, startToolDesk, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startApiServer, type ToolServer } from "../support/tool-servers.ts";

const kubectl = needs("kubectl");
const idTokenSeconds = 30;

let here: ToolDesk;
let authority: CertificateAuthority;
beforeAll(async () => {
  here = await startToolDesk(idTokenSeconds);
  authority = await makeCertificateAuthority();
});
afterAll(async () => {
  await here.close();
  await authority.dispose();
});

/** A kubeconfig whose user the page's command has made, with another profile and nobody at a terminal. */
async function writeKubeconfig(path: string, server: ToolServer): Promise<void> {
  const cluster = { server: `https://${server.host}`, "certificate-authority": authority.caPath };
  const content = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster }],
    contexts: [{ name: "x", context: { cluster: "c", user: "me" } }],
    "current-context": "x",
  };
  // YAML takes JSON as it is.
  writeFileSync(path, JSON.stringify(content));
  const line = linesOfPage("set-credentials").replace("=work", "=kube --exec-arg=--interactive");
  expect(await here.run("/bin/sh", ["-c", line], { KUBECONFIG: path })).toEqual({
    code: 0,
    output: 'User "me" set.\n',
  });
}

test.skipIf(!kubectl.available)("six kubectl at once sign in once, and refresh once", async () => {
  const api = await here.started(startApiServer(here.identityProvider, authority));
  here.configure();
  const kubeconfig = join(here.home, "kubeconfig");
  await writeKubeconfig(kubeconfig, api);
  const six = async (): Promise<void> => {
    const all = Array.from({ length: 6 }, () =>
      here.run("kubectl", ["get", "pods"], { KUBECONFIG: kubeconfig }),
    );
    for (const { code, output } of await Promise.all(all)) {
      expect([code, output]).toEqual([0, expect.stringContaining("No resources found") as string]);
    }
  };
  const before = here.opened();
  here.identityProvider.resetRequests();
  await six();
  const signedInAt = Date.now();
  expect(here.opened() - before).toBe(1);
  expect(here.identityProvider.requests().token).toBe(1);
  // A short token counts as good for half of its life.
  await pause(signedInAt + (idTokenSeconds / 2) * 1000 + 1000 - Date.now());
  await six();
  expect(here.opened() - before).toBe(1);
  expect(here.identityProvider.requests().token).toBe(2);
  expect(api.tokens.size).toBe(2);
});

test.skipIf(!kubectl.available)(
  "kubectl's helper renews a token that the server dropped",
  async () => {
    const api = await here.started(startApiServer(here.identityProvider, authority));
    const kubeconfig = join(here.home, "kubeconfig");
    await writeKubeconfig(kubeconfig, api);
    const get = (): Promise<Ran> =>
      here.run("kubectl", ["get", "--raw", "/api/v1"], { KUBECONFIG: kubeconfig });
    expect((await get()).code).toBe(0);
    const [token = ""] = api.tokens;
    api.refuse(token);
    // As if the last renewal were a minute ago.
    rmSync(join(here.home, ".local", "state", "latchkey", "helpers"), { recursive: true });
    // The request is not repeated, unless this kubectl asks for the server's version first.
    await get();
    expect((await get()).code).toBe(0);
    expect(api.tokens.size).toBe(2);
  },
);
