// The table of mistakes that new users make most: what they type, and what they must be told, whole. Changes when a
// message does; read the new one at 40 columns (__captures__) first.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { IdentityProvider, IdentityProviderOptions } from "../support/identity-provider.ts";

const shiftedClock = fileURLToPath(new URL("../support/shifted-clock.mjs", import.meta.url));

/** What somebody was told, and what it must be. */
export interface Told {
  readonly exitCode: number;
  /** The last line of standard error, with what differs from run to run in capitals. */
  readonly paragraph: string;
  /** What has to be changed or typed: it stands in the paragraph. */
  readonly fix: string;
}

export interface Mistake extends Told {
  readonly name: string;
  readonly provider?: IdentityProviderOptions;
  /** What the provider's page says where its error goes to the browser alone. Nobody comes back from there. */
  readonly seenInBrowser?: RegExp;
  /** Prepares the wrong world, and gives what the user types, and where. */
  readonly typed: (
    identityProvider: IdentityProvider,
  ) => Promise<{ parameters: string[]; env?: Record<string, string> }>;
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port;
}

async function serve(listener?: RequestListener): Promise<number> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return portOf(server);
}

/** A port at which somebody listened a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const port = portOf(server);
  server.close();
  await once(server, "close");
  return port;
}

/** How a wait for a browser ends: the reason is not known, because the browser alone has seen it. */
function nobodyFinished(redirectUri = "http://127.0.0.1:PORT/callback"): string {
  return `Nobody finished the sign-in at 127.0.0.1:PORT in the browser within 2 seconds. Start again; if the browser showed an error instead of a page to sign in on, check --client-id and register ${redirectUri} as a redirect URI of this client. Where no browser reaches this machine, set --flow device. For more time set --callback-timeout-seconds. [callback_timeout]`;
}

export const mistakes: readonly Mistake[] = [
  {
    name: "wrong issuer: a path that is not there",
    typed: async ({ issuer }) => ({
      parameters: ["--issuer", `${issuer}/realms/x`],
    }),
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT has no discovery document for the issuer "http://127.0.0.1:PORT/realms/x" (status 404 at /realms/x/.well-known/openid-configuration, /.well-known/oauth-authorization-server/realms/x, /realms/x/.well-known/oauth-authorization-server, /.well-known/openid-configuration/realms/x). Check --issuer, or set --authorization-endpoint, --token-endpoint and, so that ID tokens can be verified, --jwks-uri. [discovery_failed: not_found]',
    fix: "Check --issuer",
  },
  {
    name: "wrong issuer: the address of the discovery document",
    typed: async ({ issuer }) => ({
      parameters: ["--issuer", `${issuer}/.well-known/openid-configuration`],
    }),
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT has no discovery document for the issuer "http://127.0.0.1:PORT/.well-known/openid-configuration" (status 404 at /.well-known/openid-configuration/.well-known/openid-configuration, /.well-known/oauth-authorization-server/.well-known/openid-configuration, /.well-known/openid-configuration/.well-known/oauth-authorization-server, /.well-known/openid-configuration/.well-known/openid-configuration). Set --issuer to what stands before /.well-known/: "http://127.0.0.1:PORT". [discovery_failed: not_found]',
    fix: 'Set --issuer to what stands before /.well-known/: "http://127.0.0.1:PORT"',
  },
  {
    name: "wrong issuer: another name of the same provider",
    typed: async ({ issuer }) => ({
      parameters: ["--issuer", issuer.replace("127.0.0.1", "localhost")],
    }),
    exitCode: 1,
    paragraph:
      'The discovery document at localhost:PORT belongs to the issuer "http://127.0.0.1:PORT", but --issuer is "http://localhost:PORT". If you trust the provider at "http://127.0.0.1:PORT", set --issuer to exactly that, slash for slash; where no document is found there, set --authorization-endpoint, --token-endpoint and --jwks-uri too, as http://localhost:PORT/.well-known/openid-configuration names them. [issuer_mismatch]',
    fix: "set --issuer to exactly that",
  },
  {
    name: "wrong issuer: a web site",
    typed: async () => {
      const page = "<!doctype html><title>Welcome</title>";
      const port = await serve((_request, response) => {
        response.writeHead(200, { "content-type": "text/html" }).end(page);
      });
      return { parameters: ["--issuer", `http://127.0.0.1:${port}`] };
    },
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT has no discovery document for the issuer "http://127.0.0.1:PORT" (a web page instead of JSON (a network\'s sign-in page or a proxy may stand in between; see HTTPS_PROXY) at /.well-known/openid-configuration, /.well-known/oauth-authorization-server). Check --issuer, or set --authorization-endpoint, --token-endpoint and, so that ID tokens can be verified, --jwks-uri. [discovery_failed: not_found]',
    fix: "Check --issuer",
  },
  {
    name: "wrong issuer: nothing listens there",
    typed: async () => ({ parameters: ["--issuer", `http://127.0.0.1:${await closedPort()}`] }),
    exitCode: 6,
    paragraph:
      "Could not reach 127.0.0.1:PORT (discovery): connection refused. Is the issuer right, and is a proxy needed (HTTPS_PROXY)? [network: refused]",
    fix: "Is the issuer right",
  },
  {
    name: "wrong client",
    seenInBrowser: /^400 .*invalid_client/s,
    typed: async () => ({ parameters: ["--client-id", "nobody"] }),
    exitCode: 5,
    paragraph: nobodyFinished(),
    fix: "check --client-id",
  },
  {
    name: "wrong client, in the device flow",
    typed: async () => ({ parameters: ["--client-id", "nobody", "--flow", "device"] }),
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT refused (device authorization: invalid_client). The provider does not know this client, or wants a secret for it. Check --client-id; for a confidential client set LATCHKEY_CLIENT_SECRET (or --client-secret-file). The provider says: "client authentication failed" [token_request_failed: invalid_client]',
    fix: "Check --client-id",
  },
  {
    name: "redirect not registered",
    seenInBrowser: /^400 .*invalid_redirect_uri/s,
    typed: async () => ({ parameters: ["--redirect-uri", "http://127.0.0.1:8765/else"] }),
    exitCode: 5,
    paragraph: nobodyFinished("http://127.0.0.1:PORT/else"),
    fix: "register http://127.0.0.1:PORT/else as a redirect URI of this client",
  },
  {
    name: "secret missing",
    typed: async ({ clients }) => ({
      parameters: ["--client-id", clients.confidentialBasic.clientId],
    }),
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT refused (token request: invalid_client). The provider wants a secret from this client, and none was sent. Set LATCHKEY_CLIENT_SECRET (or --client-secret-file), or register the client as a public one. The provider says: "client authentication failed" [token_request_failed: invalid_client]',
    fix: "Set LATCHKEY_CLIENT_SECRET (or --client-secret-file)",
  },
  {
    name: "secret wrong",
    typed: async ({ clients }) => ({
      parameters: ["--client-id", clients.confidentialBasic.clientId],
      env: { LATCHKEY_CLIENT_SECRET: "not-the-secret" },
    }),
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT refused (token request: invalid_client). The provider does not know this client or its secret. Check --client-id and LATCHKEY_CLIENT_SECRET (or --client-secret-file). The provider says: "client authentication failed" [token_request_failed: invalid_client]',
    fix: "Check --client-id and LATCHKEY_CLIENT_SECRET (or --client-secret-file)",
  },
  {
    name: "port taken",
    typed: async () => ({ parameters: ["--callback-port", String(await serve())] }),
    exitCode: 1,
    paragraph:
      "Port PORT on 127.0.0.1 is taken by another program, so the browser could not come back. Free it, or register and set another --callback-port, such as PORT. [callback_port_in_use]",
    fix: "set another --callback-port, such as PORT",
  },
  ...(
    [
      ["five hours ahead", 5 * 3600, "was issued 5 hours ago and has expired"],
      ["five hours behind", -5 * 3600, "was issued 5 hours in the future"],
    ] as const
  ).map(([name, seconds, what]): Mistake => ({
    name: `wrong clock: ${name}`,
    typed: async () => ({
      parameters: [],
      env: {
        NODE_OPTIONS: `--import=${shiftedClock}`,
        LATCHKEY_TEST_CLOCK_SHIFT_SECONDS: String(seconds),
      },
    }),
    exitCode: 1,
    paragraph: `127.0.0.1:PORT answered without a usable ID token (token request): by this machine's clock (NOW) it ${what}. If that clock is wrong, set it and sign in again; if it is right, tell the provider's administrator. [id_token_invalid: id_token_time]`,
    fix: "If that clock is wrong, set it",
  })),
  {
    name: "expired code: the provider no longer takes it",
    provider: { authorizationCodeLifetimeSeconds: 1 },
    typed: async (identityProvider) => {
      identityProvider.tamper({
        path: "token",
        respond: async (_request, genuine) => {
          // Longer than the code lives: the provider itself has to say that it is over.
          await new Promise((resolve) => setTimeout(resolve, 1500));
          return genuine();
        },
      });
      return { parameters: [] };
    },
    exitCode: 1,
    paragraph:
      '127.0.0.1:PORT refused (token request: invalid_grant). The code was used, is too old, or belongs to another redirect URI. Sign in again. The provider says: "grant request is invalid" [token_request_failed: invalid_grant]',
    fix: "Sign in again",
  },
  {
    name: "expired code: nobody entered the device code in time",
    provider: { deviceCodeLifetimeSeconds: 2 },
    typed: async () => ({ parameters: ["--flow", "device", "--no-open-browser"] }),
    exitCode: 5,
    paragraph:
      "Nobody entered the code at 127.0.0.1:PORT before it expired. Sign in again: a new code is shown. [device_code_expired]",
    fix: "Sign in again: a new code is shown",
  },
];

export const noBrowser = {
  timeIsUp: {
    exitCode: 5,
    paragraph: nobodyFinished(),
    fix: "Where no browser reaches this machine, set --flow device",
  },
  notAsked: {
    exitCode: 3,
    paragraph:
      "No valid sign-in for 127.0.0.1:PORT, and nobody can be asked, because CI is set and there is no terminal. Sign in on a terminal as the same user first; a job of its own needs client credentials. Run: latchkey login --issuer http://127.0.0.1:PORT --client-id public-client --callback-port 0 --browser-command /nowhere/browser [login_required: no_token]",
    fix: "Run: latchkey login --issuer http://127.0.0.1:PORT --client-id public-client",
  },
} satisfies Record<string, Told>;

export const privateAuthority: Told = {
  exitCode: 6,
  paragraph:
    '127.0.0.1:PORT (discovery) shows a certificate issued by "Latchkey test root", which is not trusted here. The request was not sent. Save that root as PEM and set --ca-cert-path. [tls: unknown_issuer]',
  fix: "Save that root as PEM and set --ca-cert-path",
};

export const proxies = {
  "none is set, and there is no other way out": {
    exitCode: 6,
    paragraph:
      "Could not reach 203.0.113.7:443 (discovery): there is no way to it from here (ENETUNREACH). Is this machine online, is a VPN needed, and is a proxy needed (HTTPS_PROXY)? [network: unreachable]",
    fix: "is a proxy needed (HTTPS_PROXY)?",
  },
  "it is not there": {
    exitCode: 6,
    paragraph:
      "Could not reach 203.0.113.7:443 (discovery) through the proxy 198.18.0.1:9: connection refused. Is the issuer right, and is the proxy right (HTTPS_PROXY, NO_PROXY)? [network: refused]",
    fix: "is the proxy right (HTTPS_PROXY, NO_PROXY)?",
  },
  "it wants a password": {
    exitCode: 6,
    paragraph:
      "Could not reach 203.0.113.7:443 (discovery) through the proxy 198.18.0.1:3128: the proxy wants a user name and password, or refused those that it got (407). Set them in HTTPS_PROXY (http://USER:PASSWORD@198.18.0.1:3128). [network: proxy_authentication]",
    fix: "Set them in HTTPS_PROXY (http://USER:PASSWORD@198.18.0.1:3128)",
  },
  "it does not lead there": {
    exitCode: 6,
    paragraph:
      "Could not reach 203.0.113.7:443 (discovery) through the proxy 198.18.0.1:3128: the proxy refused the connection (status 500). Ask whoever runs the proxy, or exempt the host with NO_PROXY. [network: proxy_refused]",
    fix: "exempt the host with NO_PROXY",
  },
} satisfies Record<string, Told>;
