// The proxy for a server that speaks HTTP.

import { OidcError } from "../../../core/errors.ts";
import { typedPath } from "../../../files/remedy.ts";
import { HttpProxy } from "../../../proxy/http-proxy.ts";
import { hostsOfPort } from "../../../proxy/listen-place.ts";
import { createProxyServer } from "../../../proxy/serve-http.ts";
import { fileNameOf } from "./file-name.ts";
import type { ProxyKind } from "./started-proxy.ts";

function refuse(summary: string, remedy: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** @throws {OidcError} `invalid_option`: the address is not one that HTTP is spoken to. */
export function proxyForHttp(url: URL): ProxyKind {
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw refuse(
      "URL is not an https: or postgres: address.",
      "It looks like https://api.example.com.",
    );
  }
  if (url.username !== "") {
    throw refuse("URL holds a user name.", "Take it out: the proxy sends a token.");
  }
  if (url.pathname !== "/" || url.search !== "") {
    throw refuse("URL has a path.", `Each request says its own: name ${url.origin} alone.`);
  }
  const upstream = new URL(url.origin);
  const name = fileNameOf(url);
  return {
    upstream,
    saysWhereToSignIn: true,
    name,
    ownSocket: `${name}.sock`,
    socketAt: (path) => path,
    start: ({ tokens, dialer, secret, clock, words, onFailure }) => {
      const hosts: string[] = [];
      const admission = { hosts: secret === undefined ? undefined : hosts, secret };
      const proxy = new HttpProxy({ upstream, tokens, dialer, admission, words, onFailure });
      return {
        server: createProxyServer(proxy),
        clock,
        describe: (place, port, secretFile) => {
          if (place.kind === "socket") {
            return {
              address: place.path,
              hint: `What is sent to this socket goes to ${upstream.origin} with your token. Try: curl --unix-socket ${typedPath(place.path)} http://localhost/`,
            };
          }
          hosts.push(...hostsOfPort(port));
          return {
            address: `http://127.0.0.1:${String(port)}`,
            hint: `What is sent there goes to ${upstream.origin} with your token, from programs that show the secret in ${typedPath(secretFile ?? "")}, as a bearer token or as a password.`,
          };
        },
      };
    },
  };
}
