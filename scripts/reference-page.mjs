// The page that says where each sentence of the reference page stands here, and which test holds it. Changes when the
// reference page does, or a test that holds a sentence gets another name.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadSource } from "./load-source.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { optionTable } = await loadSource("src/options/table.ts");

/** @typedef {readonly [says: string, here: string, ...tests: (readonly [file: string, title: string])[]]} Sentence */

const options = "test/flow/options.test.ts";
const browserOptions = "test/flow/listener-options.test.ts";
const choice = "src/flow/choose.test.ts";
const signIn = "test/flow/sign-in.test.ts";
const server = "test/flow/server-config.test.ts";
const calls = "src/grpc/get-oidc-issuer.wire.test.ts";
const command = "test/e2e/server.test.ts";

/**
 * What the reference page says of each parameter and attribute, in our words: each parameter by its name there, its
 * default there, and each sentence.
 * @type {Readonly<Record<string, { readonly default: string | number | boolean | undefined, readonly sentences: readonly Sentence[] }>>}
 */
const parameters = {
  issuer: {
    default: "",
    sentences: [
      ["the provider's issuer URL", "`issuer`", [options, "issuer: locates the provider"]],
      [
        "empty: asked of the server, by `GetOidcIssuer`",
        "`server`, by `GetOidcIssuer` (`grpcs:`) or RFC 9728 (`https:`)",
        [server, "server: an address alone signs in"],
        [calls, "the reference system's own server"],
        [command, "gRPC with TLS and a private authority"],
      ],
    ],
  },
  client_id: {
    default: "",
    sentences: [
      ["the client registered there", "`clientId`", [options, "clientId: is who signs in"]],
      [
        "empty: asked of the server",
        "`server`",
        [server, "server: an address alone signs in"],
        [server, "a server that names no client, where none is set"],
      ],
    ],
  },
  scopes: {
    default: undefined,
    sentences: [
      [
        "the scopes to request; none given: default scopes",
        "`scopes`",
        [options, "scopes: undefined is openid profile email, else exactly those"],
      ],
      [
        "none given: those that the server advertises come first",
        "`server`; `openid` is added at an OpenID Provider",
        [server, "scopes: the server's, with openid at an OpenID Provider; else the usual ones"],
      ],
    ],
  },
  audience: {
    default: undefined,
    sentences: [
      [
        "an audience for the token request, which some providers need",
        "`audience`, in the authorization and device request too",
        [options, "audience: goes into the authorization and the token request"],
      ],
    ],
  },
  use_server_audience: {
    default: false,
    sentences: [
      [
        "with `audience` unset: the audience comes from the server's configuration",
        "`useServerAudience`; a server without one is `server_config_failed`",
        [server, "useServerAudience: takes the server's audience, and only then"],
      ],
    ],
  },
  ca_cert_path: {
    default: undefined,
    sentences: [
      [
        "a CA bundle for the HTTPS requests of a sign-in",
        "`caCertPath`, beside the roots that Node trusts",
        [options, "caCertPath: a private CA is trusted for every request"],
      ],
      ["`~` is expanded", "`caCertPath`", [options, "caCertPath: `~` is the home folder"]],
    ],
  },
  cache_path: {
    default: undefined,
    sentences: [
      [
        "another place for the token cache",
        "`cachePath`",
        [options, "cachePath: one file for every configuration that names it"],
      ],
      ["`~` is expanded", "`cachePath`", ["src/options/paths.test.ts", "`~` is the home folder"]],
    ],
  },
  token_endpoint: {
    default: undefined,
    sentences: [
      [
        "in place of the discovered token endpoint",
        "`tokenEndpoint`",
        [options, "tokenEndpoint: gets the code in place of the discovered one"],
      ],
    ],
  },
  device_authorization_endpoint: {
    default: undefined,
    sentences: [
      [
        "in place of the discovered one, in the device flow alone",
        "`deviceAuthorizationEndpoint`",
        [options, "deviceAuthorizationEndpoint: gets the request in place of the discovered one"],
        [options, "deviceAuthorizationEndpoint alone does not skip discovery of the code flow"],
      ],
    ],
  },
  flow: {
    default: "auto",
    sentences: [
      [
        "`auto`, `auth_code` or `device`",
        "`flow`; other words are `invalid_option`",
        [
          options,
          "flow: auto and auth_code sign in with the browser where they can, device with a code",
        ],
      ],
    ],
  },
  force_login: {
    default: false,
    sentences: [
      [
        "what is cached is not used: always a new sign-in",
        "`forceLogin`; the token that the same object obtained is used again",
        [options, "forceLogin: ignores what is cached, then uses what it obtained"],
      ],
    ],
  },
  open_browser: {
    default: true,
    sentences: [
      [
        "opens the authorization or verification URL in the default browser",
        "`openBrowser`",
        [browserOptions, "openBrowser: runs the browser command with a start address, or does not"],
      ],
      [
        "`False` where there is no browser",
        "`openBrowser: false`; the URL is shown either way",
        [browserOptions, "openBrowser: runs the browser command with a start address, or does not"],
      ],
    ],
  },
  authorization_endpoint: {
    default: undefined,
    sentences: [
      [
        "in place of the discovered one, in the authorization code flow",
        "`authorizationEndpoint`",
        [options, "authorizationEndpoint: is where the person is sent"],
      ],
    ],
  },
  redirect_uri: {
    default: undefined,
    sentences: [
      [
        "the redirect URI that is registered",
        "`redirectUri`, sent as it is",
        [browserOptions, "redirectUri: is sent as it is, and its path and port are the listener's"],
      ],
      [
        "none given: `http://127.0.0.1:{callback_port}/callback`",
        "the same",
        [
          browserOptions,
          "callbackPort: a fixed one is used, 0 is any, a list gives the first free one",
        ],
      ],
    ],
  },
  callback_host: {
    default: "127.0.0.1",
    sentences: [
      [
        "the interface of the temporary listener",
        "`callbackHost`",
        [browserOptions, "callbackHost: is the listener's interface and the redirect URI's host"],
      ],
    ],
  },
  callback_port: {
    default: 8765,
    sentences: [
      [
        "the port of the temporary listener",
        "`callbackPort`; `0` and a list too",
        [
          browserOptions,
          "callbackPort: a fixed one is used, 0 is any, a list gives the first free one",
        ],
      ],
    ],
  },
  callback_timeout_seconds: {
    default: 300,
    sentences: [
      [
        "the longest wait for the browser, then a failure",
        "`callbackTimeoutSeconds`, `callback_timeout`",
        [
          browserOptions,
          "callbackTimeoutSeconds: is the longest wait for the browser, and is shown",
        ],
        [signIn, "nobody comes: callback_timeout, and the port is free again"],
      ],
    ],
  },
  pkce: {
    default: true,
    sentences: [
      [
        "PKCE is used",
        "`pkce`, always with S256",
        [options, "pkce: S256 always, or no parameter of it at all"],
      ],
      [
        "`False`: for providers that refuse its parameters",
        "`pkce: false`",
        [options, "pkce: S256 always, or no parameter of it at all"],
      ],
    ],
  },
  client_secret: {
    default: undefined,
    sentences: [
      [
        "a client secret for the exchange of the code",
        "`clientSecret`, for every request that authenticates the client",
        [
          options,
          "clientSecret: authenticates with basic, or with post where the provider lists only that",
        ],
      ],
      [
        "some providers want the field to be there, OpenShift for one",
        '`clientSecret: ""` sends it empty',
        [
          "src/provider/client-authentication.test.ts",
          "an empty secret is sent as an empty field, and proves nothing",
        ],
      ],
    ],
  },
};

/** What the page says beyond its list of parameters. @type {readonly Sentence[]} */
const sentences = [
  [
    "`auto` is the default: the browser (authorization code and PKCE) where there is an authorization endpoint",
    '`flow: "auto"`',
    [choice, "%s with %j"],
    [
      options,
      "flow: auto and auth_code sign in with the browser where they can, device with a code",
    ],
  ],
  [
    "`auto` without one: the device flow where there is a device authorization endpoint",
    '`flow: "auto"`',
    [options, "flow: auto falls back to a device code, auth_code does not"],
  ],
  [
    "`resolved_cache_path()`",
    "`resolvedCachePath()`: absolute, without any I/O",
    [signIn, "the cache file is 0600 in a 0700 folder, where resolvedCachePath says"],
  ],
  [
    "every parameter is an attribute",
    "a read-only property of the same name",
    [options, "every option is readable afterwards: what was set, or the default"],
  ],
];

/** A title is looked for where it is said to be, so that no row can outlive its test. @param {readonly [string, string]} test */
function held([file, title]) {
  const text = readFileSync(join(root, file), "utf8");
  if (!text.includes(title)) throw new Error(`docs/reference.md: no test "${title}" in ${file}`);
  // The tests are not in the package that the page is, so no link.
  return `${title.replaceAll("|", "\\|")} (\`${file}\`)`;
}

/** @param {Sentence} sentence */
const cells = ([says, here, ...tests]) => {
  if (tests.length === 0) throw new Error(`docs/reference.md: nothing holds "${says}"`);
  return `${says} | ${here} | ${tests.map(held).join("; ")}`;
};

/** @param {string | number | boolean | undefined} value */
const inPython = (value) =>
  value === undefined
    ? "None"
    : typeof value === "boolean"
      ? { true: "True", false: "False" }[String(value)]
      : JSON.stringify(value).replaceAll('"', "'");

const rows = Object.entries(parameters).flatMap(([name, { default: given, sentences: said }]) => {
  const option = optionTable.find(({ reference }) => reference === name);
  if (option === undefined) throw new Error(`docs/reference.md: no option for ${name}`);
  if (option.default !== given) throw new Error(`docs/reference.md: another default of ${name}`);
  if (said.length === 0) throw new Error(`docs/reference.md: nothing is said of ${name}`);
  return said.map((sentence) => `| \`${name}\` | \`${inPython(given)}\` | ${cells(sentence)} |`);
});
for (const { reference } of optionTable) {
  if (reference !== undefined && !(reference in parameters)) {
    throw new Error(`docs/reference.md says nothing of ${reference}`);
  }
}

/** The page `docs/reference.md`. */
export const referencePage = `# The reference page, sentence by sentence

Latchkey implements the reference page of \`xgt.OidcAuth\` (xgt 2.7.0): the same parameters under the names of this
language, with the same defaults and the same meaning. Made by \`npm run generate\`, which fails where a default
differs or a test that is named here is gone.

## Parameters and attributes

| there | default | what it says | here | held by |
|---|---|---|---|---|
${rows.join("\n")}

## The rest of the page

| what it says | here | held by |
|---|---|---|
${sentences.map((sentence) => `| ${cells(sentence)} |`).join("\n")}
`;
