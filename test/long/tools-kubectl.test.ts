// kubectl with one sign-in: a crowd signs in once, and a token that the server dropped is renewed.

import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import { needs } from "../support/debian-packages.ts";
import { startToolDesk, writeKubeconfig, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startApiServer } from "../support/tool-servers.ts";

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

test.skipIf(!kubectl.available)("six kubectl at once sign in once, and refresh once", async () => {
  const api = await here.started(startApiServer(here.identityProvider, authority));
  here.configure();
  const kubeconfig = await writeKubeconfig(here, api.host, authority);
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
    const kubeconfig = await writeKubeconfig(here, api.host, authority);
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
