// Servers that real tools talk to, each behind a check of the token that they bring. Changes when a tool needs another.

import { spawn } from "node:child_process";
import { createHash, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { IdentityProvider } from "./identity-provider.ts";

/** A server of a test. */
export interface ToolServer {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly host: string;
  /** Each request: method, path, the scheme of its `Authorization`, and the status. */
  readonly log: readonly string[];
  /** Tokens that came, each once. */
  readonly tokens: ReadonlySet<string>;
  /** From now on this one is not good any more. */
  refuse(token: string): void;
  close(): Promise<void>;
}

interface Checked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly isGood: boolean;
}

interface ServerParts {
  readonly answer: (checked: Checked) => void;
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** The token of a request, where it is not in `Authorization`. */
  readonly tokenOf?: (request: IncomingMessage, body: Buffer) => string | undefined;
}

/** The token in `Authorization`, as a bearer or as a password. */
function presented({ headers }: IncomingMessage): string | undefined {
  const [scheme = "", value = ""] = (headers.authorization ?? "").split(" ");
  if (scheme.toLowerCase() !== "basic") return value || undefined;
  return Buffer.from(value, "base64").toString().split(":").slice(1).join(":");
}

/** Takes every token that the provider has given out and nobody has refused since. */
async function startServer(
  identityProvider: IdentityProvider,
  { answer, tls, tokenOf = presented }: ServerParts,
): Promise<ToolServer> {
  const log: string[] = [];
  const tokens = new Set<string>();
  const refused = new Set<string>();
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.once("end", () => {
      const body = Buffer.concat(chunks);
      const token = tokenOf(request, body);
      if (token !== undefined) tokens.add(token);
      const isGood =
        token !== undefined &&
        !refused.has(token) &&
        identityProvider.secretsIssued().includes(token);
      const scheme = (request.headers.authorization ?? "none").split(" ", 1)[0] ?? "";
      response.once("finish", () => {
        log.push(`${request.method} ${request.url} ${scheme} ${String(response.statusCode)}`);
      });
      answer({ request, response, body, isGood });
    });
  };
  const server =
    tls === undefined
      ? createServer(handle)
      : createTlsServer({ cert: tls.certificate, key: tls.key }, handle);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    host: `127.0.0.1:${String(port)}`,
    log,
    tokens,
    refuse: (token) => refused.add(token),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

/** `git http-backend` (git-http-backend(1)) over the repositories of a folder. */
function serveGit({ request, response, body }: Checked, folder: string): void {
  const url = new URL(request.url ?? "/", "http://localhost");
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env["PATH"],
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      HTTP_GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      REMOTE_USER: "alice",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  backend.stdin.end(body);
  const chunks: Buffer[] = [];
  backend.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  backend.once("close", () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf("\r\n\r\n");
    let status = 200;
    for (const line of whole.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(/:\s*/u);
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.writeHead(status).end(whole.subarray(end + 4));
  });
}

/** A git server that offers bearer and basic authentication. */
export function startGitServer(
  identityProvider: IdentityProvider,
  folder: string,
): Promise<ToolServer> {
  return startServer(identityProvider, {
    answer: (checked) => {
      if (checked.isGood) {
        serveGit(checked, folder);
        return;
      }
      const wasRefused = checked.request.headers.authorization !== undefined;
      const detail = wasRefused ? ', error="invalid_token"' : "";
      checked.response
        .writeHead(401, {
          "www-authenticate": [`Bearer realm="git"${detail}`, 'Basic realm="git"'],
        })
        .end();
    },
  });
}

/** As much of an API server as `kubectl get pods` needs. */
export function startApiServer(
  identityProvider: IdentityProvider,
  tls: { readonly certificate: string; readonly key: string },
): Promise<ToolServer> {
  const pods = {
    name: "pods",
    singularName: "pod",
    namespaced: true,
    kind: "Pod",
    verbs: ["get", "list"],
  };
  const documents: Readonly<Record<string, unknown>> = {
    "/api": { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [] },
    "/apis": { kind: "APIGroupList", apiVersion: "v1", groups: [] },
    "/api/v1": { kind: "APIResourceList", groupVersion: "v1", resources: [pods] },
    "/api/v1/namespaces/default/pods": {
      kind: "PodList",
      apiVersion: "v1",
      metadata: { resourceVersion: "1" },
      items: [],
    },
  };
  return startServer(identityProvider, {
    tls,
    answer: ({ request, response, isGood }) => {
      const found = documents[(request.url ?? "").split("?", 1)[0] ?? ""];
      const code = !isGood ? 401 : found === undefined ? 404 : 200;
      const reason = code === 401 ? "Unauthorized" : "NotFound";
      const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason, code };
      json(response, code, code === 200 ? found : status);
    },
  });
}

/** A sparse index that wants a token for everything, with one crate in it. */
export function startCrateServer(
  identityProvider: IdentityProvider,
  crate: Buffer,
): Promise<ToolServer> {
  const cksum = createHash("sha256").update(crate).digest("hex");
  return startServer(identityProvider, {
    answer: ({ request, response, isGood }) => {
      const origin = `http://${request.headers.host ?? ""}`;
      if (!isGood) response.writeHead(401, { "www-authenticate": 'Bearer realm="crates"' }).end();
      else if (request.url === "/index/config.json") {
        json(response, 200, {
          dl: `${origin}/dl/{crate}/{version}`,
          api: origin,
          "auth-required": true,
        });
      } else if (request.url === "/index/he/ll/hello-dep") {
        const entry = {
          name: "hello-dep",
          vers: "0.1.0",
          deps: [],
          cksum,
          features: {},
          yanked: false,
        };
        response.end(`${JSON.stringify(entry)}\n`);
      } else if (request.url?.startsWith("/dl/") === true) response.end(crate);
      else response.writeHead(404).end();
    },
  });
}

/** Indexes that want a token for everything, with one package in them: Python's below `/simple/`, npm's below `/npm/`. */
export function startPackageServer(
  identityProvider: IdentityProvider,
  { wheel, archive }: { readonly wheel: Buffer; readonly archive: Buffer },
): Promise<ToolServer> {
  const digest = createHash("sha512").update(archive).digest("base64");
  return startServer(identityProvider, {
    answer: ({ request, response, isGood }) => {
      const origin = `http://${request.headers.host ?? ""}`;
      if (!isGood) response.writeHead(401, { "www-authenticate": 'Basic realm="packages"' }).end();
      else if (request.url === "/simple/hello-dep/") {
        const file = "hello_dep-0.1.0-py3-none-any.whl";
        response
          .writeHead(200, { "content-type": "text/html" })
          .end(`<!DOCTYPE html><a href="/files/${file}">${file}</a>`);
      } else if (request.url?.startsWith("/files/") === true) response.end(wheel);
      else if (request.url === "/npm/hello-dep") {
        const tarball = `${origin}/npm/hello-dep/-/hello-dep-0.1.0.tgz`;
        const dist = { tarball, integrity: `sha512-${digest}` };
        const version = { name: "hello-dep", version: "0.1.0", dist };
        const tags = { latest: "0.1.0" };
        json(response, 200, {
          name: "hello-dep",
          "dist-tags": tags,
          versions: { "0.1.0": version },
        });
      } else if (request.url?.endsWith(".tgz") === true) response.end(archive);
      else response.writeHead(404).end();
    },
  });
}

/** A registry of Terraform's that wants a token for everything, and has a provider without a version. */
export function startProviderRegistry(
  identityProvider: IdentityProvider,
  tls: { readonly certificate: string; readonly key: string },
): Promise<ToolServer> {
  return startServer(identityProvider, {
    tls,
    answer: ({ request, response, isGood }) => {
      if (!isGood) json(response, 401, {});
      else if (request.url === "/.well-known/terraform.json") {
        json(response, 200, { "providers.v1": "/v1/providers/" });
      } else json(response, 200, { versions: [] });
    },
  });
}

/** The realm of a registry: gives its own token for one of the provider, which comes as a password. */
export function startRegistryRealm(
  identityProvider: IdentityProvider,
  signer: { readonly certificate: string; readonly key: string },
): Promise<ToolServer> {
  const chain = [signer.certificate.replaceAll(/-----.*-----|\n/g, "")];
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const tokenFor = (service: string, access: unknown): string => {
    const now = Math.floor(Date.now() / 1000);
    const head = part({ alg: "ES256", typ: "JWT", x5c: chain });
    const claims = {
      iss: "realm",
      sub: "alice",
      aud: service,
      iat: now,
      nbf: now - 5,
      exp: now + 60,
      jti: String(now),
      access,
    };
    const signed = `${head}.${part(claims)}`;
    const signature = sign("sha256", Buffer.from(signed), {
      key: signer.key,
      dsaEncoding: "ieee-p1363",
    });
    return `${signed}.${signature.toString("base64url")}`;
  };
  return startServer(identityProvider, {
    answer: ({ request, response, isGood }) => {
      const { searchParams } = new URL(request.url ?? "/", "http://localhost");
      if (!isGood) {
        json(response, 401, { errors: [{ code: "UNAUTHORIZED" }] });
        return;
      }
      const access = searchParams.getAll("scope").map((scope) => {
        const [type, name, actions = ""] = scope.split(":");
        return { type, name, actions: actions.split(",") };
      });
      const token = tokenFor(searchParams.get("service") ?? "", access);
      json(response, 200, { token, access_token: token, expires_in: 60 });
    },
  });
}

/** A server that says who came. */
export function startEchoServer(identityProvider: IdentityProvider): Promise<ToolServer> {
  return startServer(identityProvider, {
    answer: ({ response, isGood }) => json(response, isGood ? 200 : 401, { isGood }),
  });
}

/** The token services of two clouds (RFC 8693, AssumeRoleWithWebIdentity): each gives what its library wants. */
export function startTokenService(identityProvider: IdentityProvider): Promise<ToolServer> {
  const credentials =
    "<AccessKeyId>AKIDTESTS</AccessKeyId><SecretAccessKey>s</SecretAccessKey>" +
    "<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration>";
  const name = "AssumeRoleWithWebIdentity";
  return startServer(identityProvider, {
    tokenOf: (_request, body) => {
      const form = new URLSearchParams(body.toString());
      return form.get("subject_token") ?? form.get("WebIdentityToken") ?? undefined;
    },
    answer: ({ request, response, isGood }) => {
      if (!isGood) json(response, 400, { error: "invalid_grant" });
      else if (request.url === "/v1/token") {
        json(response, 200, {
          access_token: "google-token",
          issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
          token_type: "Bearer",
          expires_in: 3600,
        });
      } else {
        response
          .writeHead(200, { "content-type": "text/xml" })
          .end(
            `<${name}Response><${name}Result><Credentials>${credentials}</Credentials></${name}Result></${name}Response>`,
          );
      }
    },
  });
}
