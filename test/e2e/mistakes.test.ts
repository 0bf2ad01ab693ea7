// The mistakes that new users make most, each made for real with the built command line against a real provider.
// Changes when such a mistake is made in another way; what is said about each stands in mistakes.ts.

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { expectNoSecrets } from "../support/canary.ts";
import { makeCertificateAuthority, type CertificateAuthority } from "../support/certificates.ts";
import { startLatchkey, type CommandResult } from "../support/command-line.ts";
import { needs } from "../support/debian-packages.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import {
  canMakePrivateNetwork,
  makePrivateNetwork,
  type AuthenticatingProxy,
  type PrivateNetwork,
} from "../support/private-network.ts";
import { layOut } from "../../src/interaction/layout.ts";
import { optionTable } from "../../src/options/table.ts";
import { desk, provider } from "./harness.ts";
import {
  mistakes,
  noBrowser,
  privateAuthority,
  proxies,
  type Mistake,
  type Told,
} from "./mistakes.ts";

/** Ends a wait that nobody else will end. */
const shortWait = ["--callback-timeout-seconds", "2"];

/** A paragraph in which only what the test does not choose is replaced. */
function settled(text: string): string {
  return text
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d UTC/g, "NOW")
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, "$1:PORT")
    .replaceAll(/(Port|such as) \d+/g, "$1 PORT");
}

/** How a run ended, in the form of {@link Told}, and what it printed for programs, which is nothing. */
function endOf(run: CommandResult): Omit<Told, "fix"> & { stdout: string } {
  const paragraph = settled(run.stderr.trimEnd().split("\n").at(-1) ?? "");
  return { exitCode: run.code ?? -1, paragraph, stdout: run.stdout };
}

/** What {@link endOf} has to be. */
function expected({ exitCode, paragraph }: Told): ReturnType<typeof endOf> {
  return { exitCode, paragraph, stdout: "" };
}

/** Goes where the person's browser would go, and no further. */
async function pageAt(address: string): Promise<string> {
  const answer = await fetch(address, { headers: { accept: "text/html" } });
  return `${answer.status} ${await answer.text()}`;
}

/** By name: a title that is made from a member is cut. */
function byName(isSeenInBrowser: boolean): [string, Mistake][] {
  return mistakes
    .filter(({ seenInBrowser }) => (seenInBrowser !== undefined) === isSeenInBrowser)
    .map((mistake) => [mistake.name, mistake]);
}

test.each(byName(false))("%s", async (_name, mistake) => {
  const at = await desk();
  const identityProvider = await provider(mistake.provider);
  const { parameters, env = {} } = await mistake.typed(identityProvider);
  const run = await at.run(["login", ...at.flags(identityProvider), ...parameters], { env });
  expect(endOf(run)).toEqual(expected(mistake));
});

test.each(byName(true))("%s, as the browser alone is told", async (_name, mistake) => {
  const at = await desk();
  const identityProvider = await provider();
  const { parameters } = await mistake.typed(identityProvider);
  const flags = [...at.flags(identityProvider), ...parameters, ...shortWait];
  const login = at.start(["login", ...flags, "--no-open-browser"]);
  const [address] = await login.waitFor(/http:\S+\/auth\?\S+/);
  expect(await pageAt(address)).toMatch(mistake.seenInBrowser ?? "");
  expect(endOf(await login.finished)).toEqual(expected(mistake));
});

/** Flags of somebody without a browser: no command for one, and a machine that has none. */
function withoutBrowser(identityProvider: IdentityProvider): string[] {
  return [
    "--issuer",
    identityProvider.issuer,
    "--client-id",
    identityProvider.clients.public.clientId,
    "--callback-port",
    "0",
    "--browser-command",
    "/nowhere/browser",
  ];
}

test("no browser: the address to open is shown at once, with where it must lead back to", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const run = await at.run(["login", ...withoutBrowser(identityProvider), ...shortWait]);
  const [lead = "", , address = ""] = run.stderr.split("\n");
  expect(settled(lead)).toBe(
    "No browser here (browser not found). To sign in at 127.0.0.1:PORT, open this in a browser that reaches this machine at http://127.0.0.1:PORT:",
  );
  expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/auth\?\S+$/);
  expect(endOf(run)).toEqual(expected(noBrowser.timeIsUp));
});

test("no browser and nobody to ask, as in continuous integration: the command to run is whole", async () => {
  const at = await desk();
  const identityProvider = await provider();
  const env = { CI: "true" };
  const run = await at.run(["token", ...withoutBrowser(identityProvider)], { env });
  expect(endOf(run)).toEqual(expected(noBrowser.notAsked));
  expect(identityProvider.requests().total).toBe(0);
});

test.skipIf(!needs("openssl").available)("private CA missing", async () => {
  const authority: CertificateAuthority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const at = await desk();
  const identityProvider = await provider({ tls: authority });
  const run = await at.run(["login", ...at.flags(identityProvider)]);
  expect(endOf(run)).toEqual(expected(privateAuthority));
  expect(identityProvider.requests().total).toBe(0);
});

// Nothing of these leaves the namespace: TEST-NET-3 (RFC 5737) has no route there.
const beyond = "https://203.0.113.7";
describe.skipIf(!canMakePrivateNetwork())("proxy", () => {
  const password = "proxy-canary-9Kd3";
  let network: PrivateNetwork;
  let proxy: AuthenticatingProxy;

  beforeAll(async () => {
    network = await makePrivateNetwork();
    proxy = await network.startProxy({ userName: "alice", password });
  });
  afterAll(async () => {
    await proxy.stop();
    await network.close();
  });

  const setting = (name: keyof typeof proxies): Record<string, string> => {
    switch (name) {
      case "it is not there": {
        return { HTTPS_PROXY: `http://${network.address}:9` };
      }
      case "it wants a password": {
        return { HTTPS_PROXY: `http://${proxy.host}` };
      }
      case "it does not lead there": {
        return { HTTPS_PROXY: `http://alice:${password}@${proxy.host}` };
      }
      default: {
        return {};
      }
    }
  };

  test.each(Object.keys(proxies) as (keyof typeof proxies)[])("%s", async (name) => {
    const at = await desk();
    const words = ["login", "--issuer", beyond, "--client-id", "data-cli", "--no-open-browser"];
    const run = await startLatchkey(words, {
      home: at.home,
      through: network.through,
      stdin: "",
      env: setting(name),
    }).finished;
    expect(endOf(run)).toEqual(expected(proxies[name]));
    expectNoSecrets(run.stderr, [password]);
  });
});

const everything: readonly Told[] = [
  ...mistakes,
  ...Object.values(noBrowser),
  privateAuthority,
  ...Object.values(proxies),
];

test("every message names its fix, in the words of the command line, and ends with its code", () => {
  for (const { paragraph, fix } of everything) {
    expect(paragraph).toContain(fix);
    expect(fix).not.toBe("");
    expect(paragraph).toMatch(/ \[[a-z_]+(?:: [a-z_]+)?\]$/);
    for (const { name } of optionTable.filter((row) => /[A-Z]/.test(row.name))) {
      expect(paragraph).not.toMatch(new RegExp(`\\b${name}\\b`));
    }
  }
});

test.each([80, 40])("captures at %i columns, to be read", async (columns) => {
  const paragraphs = [...new Set(everything.map(({ paragraph }) => layOut(paragraph, columns)))];
  await expect(`${paragraphs.join("\n\n")}\n`).toMatchFileSnapshot(
    `__captures__/mistakes-${columns}.txt`,
  );
});
