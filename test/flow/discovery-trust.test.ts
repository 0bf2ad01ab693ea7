// What a discovery document may decide after the trust that let it in is gone. Changes with how documents are kept.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { OidcAuthOptions } from "../../src/index.ts";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { json, startHostileServer, type HostileServer } from "../support/hostile-server.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { credential, emptyHome, failureOf, provider } from "./harness.ts";

interface Scene {
  readonly home: string;
  readonly identityProvider: IdentityProvider;
  /** Has a certificate that stays trusted; only discovery led to it. */
  readonly elsewhere: HostileServer;
  readonly make: (more?: OidcAuthOptions) => ReturnType<typeof credential>;
  /** From now on the bundle, at the same path, no longer has the middle-man's root, and he is gone. */
  readonly removeRoot: () => void;
}

/** A sign-in that took place while a middle-man's root was trusted, and his document named endpoints of his own. */
async function signedInThroughMiddleMan(): Promise<Scene> {
  const home = emptyHome();
  const [authority, middleMan] = await Promise.all([
    makeCertificateAuthority(),
    makeCertificateAuthority(),
  ]);
  onTestFinished(() =>
    Promise.all([authority.dispose(), middleMan.dispose()]).then(() => undefined),
  );
  const elsewhere = await startHostileServer(json({ error: "invalid_scope" }, 400), {
    tls: { key: authority.key, cert: authority.certificate },
  });
  onTestFinished(() => elsewhere.close());
  const identityProvider = await provider({ tls: authority });
  const bundle = join(home, "roots.pem");
  writeFileSync(bundle, authority.caPem + middleMan.caPem);
  const undo = identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const document = {
        ...JSON.parse(answer.body),
        userinfo_endpoint: `${elsewhere.origin}/userinfo`,
        revocation_endpoint: `${elsewhere.origin}/revoke`,
      };
      const headers = { ...answer.headers, "cache-control": "max-age=315360000" };
      return { ...answer, headers, body: JSON.stringify(document) };
    },
  });
  const make = (more: OidcAuthOptions = {}) =>
    credential(identityProvider, { caCertPath: bundle, ...more });
  await make().getToken();
  // What the middle-man would have put into the record, had he handed the code on to the real token endpoint.
  const folder = join(home, ".local/state/latchkey");
  const [name = "none"] = readdirSync(folder).filter((entry) => entry.endsWith(".json"));
  const file = JSON.parse(readFileSync(join(folder, name), "utf8"));
  file.records[0].tokenEndpoint = `${elsewhere.origin}/token`;
  writeFileSync(join(folder, name), JSON.stringify(file), { mode: 0o600 });
  identityProvider.resetRequests();
  return {
    home,
    identityProvider,
    elsewhere,
    make,
    removeRoot: () => {
      writeFileSync(bundle, authority.caPem);
      undo();
    },
  };
}

test("[F-S2] while the same roots are trusted, a refresh goes to the recorded endpoint with one request", async () => {
  const { identityProvider, elsewhere, make } = await signedInThroughMiddleMan();
  await failureOf(make().getToken({ forceRefresh: true }));
  expect(elsewhere.requests.map(({ target }) => target)).toEqual(["/token"]);
  expect(identityProvider.requests().total).toBe(0);
});

test("[F-S2] after a root is removed, a refresh finds the endpoints anew and the record has them", async () => {
  const { identityProvider, elsewhere, make, removeRoot } = await signedInThroughMiddleMan();
  removeRoot();
  expect((await make().getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, token: 1 });
  identityProvider.resetRequests();
  expect((await make().getToken({ forceRefresh: true })).source).toBe("refresh");
  expect(identityProvider.requests()).toMatchObject({ token: 1, total: 1 });
  expect((await make().userInfo()).sub).toBe("alice");
  expect((await make().logout({ revoke: true })).revoked).toBe("yes");
  expect(elsewhere.requests).toEqual([]);
});

test("[F-S2] after a root is removed, neither userinfo nor revocation goes where it pointed", async () => {
  const { elsewhere, make, removeRoot } = await signedInThroughMiddleMan();
  removeRoot();
  expect((await make().userInfo()).sub).toBe("alice");
  expect((await make().logout({ revoke: true })).revoked).toBe("yes");
  expect(elsewhere.requests).toEqual([]);
});

test("[F-S2] after a root is removed, a sign-in finds everything anew", async () => {
  const { identityProvider, elsewhere, make, removeRoot } = await signedInThroughMiddleMan();
  removeRoot();
  expect((await make({ forceLogin: true }).getToken()).source).toBe("login");
  expect(identityProvider.requests()).toMatchObject({ discovery: 1, token: 1 });
  expect(elsewhere.requests).toEqual([]);
});

test("[F-S2] a provider that cannot be looked up anew costs neither the sign-in nor the refresh token", async () => {
  const { identityProvider, make, removeRoot } = await signedInThroughMiddleMan();
  removeRoot();
  const undo = identityProvider.tamper({ path: "discovery", respond: async () => "reset" });
  const error = await failureOf(make().getToken({ forceRefresh: true }));
  expect([error.code, identityProvider.requests().token]).toEqual(["network", 0]);
  undo();
  expect((await make().getToken({ forceRefresh: true })).source).toBe("refresh");
});

test("[F-D6] a sign-in that a person gives up leaves what is known of the provider", async () => {
  const home = emptyHome();
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const identityProvider = await provider({ tls: authority });
  const kept = () => readdirSync(join(home, ".local/state/latchkey/providers"));
  const cancelled = credential(identityProvider, {
    caCertPath: authority.caPath,
    onPrompt: (event) => {
      if (event.type === "authorizationUrl") event.cancel();
    },
  });
  expect((await failureOf(cancelled.getToken())).code).toBe("aborted");
  expect(kept()).toHaveLength(1);

  identityProvider.tamper({
    path: "discovery",
    times: 1,
    respond: async (_request, genuine) => {
      const answer = await genuine();
      const document = { ...JSON.parse(answer.body), authorization_endpoint: undefined };
      return {
        ...answer,
        body: JSON.stringify({ ...document, device_authorization_endpoint: undefined }),
      };
    },
  });
  const useless = credential(identityProvider, { caCertPath: authority.caPath });
  expect((await failureOf(useless.getToken())).code).toBe("no_interactive_flow");
  expect(kept()).toEqual([]);
});
