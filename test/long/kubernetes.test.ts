// kubectl and a real API server, which knows the person by the ID token of one sign-in.

import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import { needs, tellMissing } from "../support/debian-packages.ts";
import { kubernetes, startKubernetes, type ApiServer } from "../support/kubernetes.ts";
import { startToolDesk, writeKubeconfig, type ToolDesk } from "../support/tool-desk.ts";

const kubectl = needs("kubectl");
const curl = needs("curl");
if (!kubernetes.isWanted) tellMissing(kubernetes.reason);
const canRun = kubectl.available && curl.available && kubernetes.isWanted;

const buildMilliseconds = 3_000_000;

let here: ToolDesk;
let authority: CertificateAuthority;
let server: ApiServer;
beforeAll(async () => {
  if (!canRun) return;
  authority = await makeCertificateAuthority();
  here = await startToolDesk(3600, authority);
  const { issuer, clients } = here.identityProvider;
  server = await startKubernetes(issuer, clients.public.clientId, authority);
}, buildMilliseconds);
afterAll(async () => {
  await server?.close();
  await here?.close();
  await authority?.dispose();
});

test.skipIf(!canRun)("six kubectl at once are known by one sign-in", async () => {
  here.configure();
  const kubeconfig = await writeKubeconfig(here, server.host, authority);
  const before = here.opened();
  here.identityProvider.resetRequests();
  const whoAmI = ["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"];
  const six = Array.from({ length: 6 }, () =>
    here.run("kubectl", whoAmI, { KUBECONFIG: kubeconfig }),
  );
  for (const { code, output } of await Promise.all(six)) {
    expect([code, output]).toEqual([0, expect.stringMatching(/^alice@example\.com/) as string]);
  }
  expect(here.opened() - before).toBe(1);
  expect(here.identityProvider.requests().token).toBe(1);

  const kubectlRuns = (...parameters: readonly string[]): ReturnType<ToolDesk["run"]> =>
    here.run("kubectl", parameters, { KUBECONFIG: kubeconfig });
  expect(await kubectlRuns("create", "namespace", "team-a")).toEqual({
    code: 0,
    output: "namespace/team-a created\n",
  });
  const refused = await kubectlRuns("--token=another", "get", "namespaces");
  expect(refused.code).not.toBe(0);
});
