// Changes when a test needs a sign-in that does not go through Latchkey.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import type { IdentityProvider } from "./identity-provider.ts";
import { signIn } from "./scripted-browser.ts";
import type { SignInOptions } from "./scripted-browser.ts";

export interface PlainAnswer {
  status: number;
  body: Record<string, unknown>;
}

/** A POST of a form with nothing but Node: `fetch` takes no private authority by itself. */
export async function postForm(
  url: string,
  form: Readonly<Record<string, string>>,
  options: { headers?: Readonly<Record<string, string>>; certificateAuthority?: string } = {},
): Promise<PlainAnswer> {
  const headers = {
    "content-type": "application/x-www-form-urlencoded",
    accept: "application/json",
    ...options.headers,
  };
  const body = new URLSearchParams(form).toString();
  if (options.certificateAuthority === undefined) {
    const answer = await fetch(url, { method: "POST", headers, body });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? {} : JSON.parse(text) };
  }
  const outgoing = request(url, {
    method: "POST",
    headers,
    agent: false,
    ca: options.certificateAuthority,
  });
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  let text = "";
  for await (const chunk of incoming) text += String(chunk);
  return { status: incoming.statusCode, body: text === "" ? {} : JSON.parse(text) };
}

/** A listener for one redirect, as a command line client opens it. */
export async function listenForRedirect(host = "127.0.0.1", path = "/callback") {
  const received: URL[] = [];
  const server = createServer((incoming, response) => {
    const url = new URL(incoming.url ?? "/", "http://listener.invalid");
    if (url.pathname === path) received.push(url);
    response.writeHead(url.pathname === path ? 200 : 404, { "content-type": "text/html" });
    response.end("<h1>Back at the client</h1>");
  });
  server.listen(0, host);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const authority = host.includes(":") ? `[${host}]` : host;
  return {
    redirectUri: `http://${authority}:${port}${path}`,
    received,
    close: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

export interface CodeFlowOptions extends SignInOptions {
  clientId?: string;
  headers?: Readonly<Record<string, string>>;
  authorizationParameters?: Readonly<Record<string, string>>;
  tokenParameters?: Readonly<Record<string, string>>;
  pkce?: boolean;
  listenerHost?: string;
  listenerPath?: string;
}

/** The whole authorization code flow in plain steps, to try a provider and a browser against each other. */
export async function runCodeFlow(provider: IdentityProvider, options: CodeFlowOptions = {}) {
  const listener = await listenForRedirect(options.listenerHost, options.listenerPath);
  const trust =
    provider.certificateAuthority === undefined
      ? {}
      : { certificateAuthority: provider.certificateAuthority };
  const verifier = randomBytes(32).toString("base64url");
  const state = randomBytes(16).toString("base64url");
  const nonce = randomBytes(16).toString("base64url");
  const clientId = options.clientId ?? provider.clients.public.clientId;
  const pkce = {
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
  };
  try {
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: listener.redirectUri,
      response_type: "code",
      scope: "openid profile email",
      state,
      nonce,
      ...(options.pkce === false ? {} : pkce),
      ...options.authorizationParameters,
    });
    const visit = await signIn(`${provider.issuer}/auth?${query.toString()}`, {
      ...trust,
      ...options,
    });
    const callback = new URL(visit.redirectUrl).searchParams;
    const code = callback.get("code");
    if (code === null) return { visit, callback, secrets: { verifier, state, nonce } };
    const token = await postForm(
      `${provider.issuer}/token`,
      {
        grant_type: "authorization_code",
        code,
        redirect_uri: listener.redirectUri,
        ...(options.pkce === false ? {} : { code_verifier: verifier }),
        ...(options.headers === undefined ? { client_id: clientId } : {}),
        ...options.tokenParameters,
      },
      { ...trust, ...(options.headers === undefined ? {} : { headers: options.headers }) },
    );
    return { visit, callback, token, secrets: { verifier, state, nonce } };
  } finally {
    await listener.close();
  }
}

/** The tokens of a flow that is expected to give some. */
export function tokensOf(flow: { token?: PlainAnswer }): {
  accessToken: string;
  refreshToken: string;
  idToken: string;
} {
  const body = flow.token?.body ?? {};
  const member = (name: string): string => {
    const value = body[name];
    if (typeof value !== "string") throw new Error(`no ${name} in ${JSON.stringify(body)}`);
    return value;
  };
  return {
    accessToken: member("access_token"),
    refreshToken: member("refresh_token"),
    idToken: member("id_token"),
  };
}
