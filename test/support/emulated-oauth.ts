// What the emulated plain OAuth 2.0 servers share: a socket, the browser's request and codes that count once. They are no
// provider's software; each says in its own file which documents it follows. Changes when such a server needs more.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came. */
export interface EmulatedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly form: URLSearchParams;
}

/** What is sent back. */
export interface EmulatedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A server that stands in for a provider. */
export interface EmulatedServer {
  readonly origin: string;
  /** Requests since the last reset, as "METHOD /path". */
  readonly seen: string[];
  readonly tokenForms: URLSearchParams[];
  readonly authorizationQueries: URLSearchParams[];
  /** Tokens that it gave out and still honours. */
  readonly tokens: Set<string>;
  close(): Promise<void>;
}

/** How one provider answers. */
export interface EmulatedBehaviour {
  readonly authorizePath: string;
  readonly tokenPath: string;
  /** Why an authorization request is refused: the `error` of the redirect. */
  refuseAuthorization(query: URLSearchParams): string | undefined;
  /** The answer of the token endpoint for a code that counts, or for one that does not. */
  answerToken(request: EmulatedRequest, grant: URLSearchParams | undefined): EmulatedAnswer;
  /** Everything else. */
  answerOther(request: EmulatedRequest, origin: string): EmulatedAnswer;
}

export function json(status: number, members: object): EmulatedAnswer {
  const headers = { "content-type": "application/json" };
  return { status, headers, body: JSON.stringify(members) };
}

/** RFC 7636 section 4.6, S256 alone. */
function isVerified(grant: URLSearchParams, form: URLSearchParams): boolean {
  const challenge = grant.get("code_challenge");
  if (challenge === null) return true;
  const verifier = form.get("code_verifier") ?? "";
  return createHash("sha256").update(verifier).digest("base64url") === challenge;
}

async function readRequest(incoming: IncomingMessage, origin: string): Promise<EmulatedRequest> {
  const url = new URL(incoming.url ?? "/", origin);
  let body = "";
  for await (const chunk of incoming) body += String(chunk);
  return {
    method: incoming.method ?? "GET",
    path: url.pathname,
    query: url.searchParams,
    headers: incoming.headers,
    form: new URLSearchParams(body),
  };
}

/** Starts an emulated server whose person is signed in already and agrees at once. */
export async function startEmulatedServer(
  makeBehaviour: (tokens: Set<string>) => EmulatedBehaviour,
): Promise<EmulatedServer> {
  const tokens = new Set<string>();
  const behaviour = makeBehaviour(tokens);
  const codes = new Map<string, URLSearchParams>();
  const seen: string[] = [];
  const tokenForms: URLSearchParams[] = [];
  const authorizationQueries: URLSearchParams[] = [];
  const failures: unknown[] = [];
  let origin = "";

  const authorize = (query: URLSearchParams): EmulatedAnswer => {
    authorizationQueries.push(query);
    const target = new URL(query.get("redirect_uri") ?? "");
    const error = behaviour.refuseAuthorization(query);
    const code = randomBytes(16).toString("hex");
    if (error === undefined) codes.set(code, query);
    target.searchParams.set(error === undefined ? "code" : "error", error ?? code);
    target.searchParams.set("state", query.get("state") ?? "");
    return { status: 302, headers: { location: target.href } };
  };
  const token = (request: EmulatedRequest): EmulatedAnswer => {
    tokenForms.push(request.form);
    const code = request.form.get("code") ?? "";
    const grant = codes.get(code);
    const counts =
      grant !== undefined &&
      grant.get("redirect_uri") === request.form.get("redirect_uri") &&
      isVerified(grant, request.form);
    const answer = behaviour.answerToken(request, counts ? grant : undefined);
    if ((answer.body ?? "").includes("access_token")) codes.delete(code);
    return answer;
  };
  const answerTo = (request: EmulatedRequest): EmulatedAnswer => {
    if (request.path === behaviour.authorizePath) return authorize(request.query);
    if (request.path === behaviour.tokenPath && request.method === "POST") return token(request);
    return behaviour.answerOther(request, origin);
  };
  const serve = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const request = await readRequest(incoming, origin);
    seen.push(`${request.method} ${request.path}`);
    const { status, headers = {}, body = "" } = answerTo(request);
    response.writeHead(status, headers).end(body);
  };

  const server = createServer((incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      failures.push(error);
      incoming.socket.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    origin,
    seen,
    tokenForms,
    authorizationQueries,
    tokens,
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
      if (failures.length > 0) throw new AggregateError(failures, "the emulated server failed");
    },
  };
}
