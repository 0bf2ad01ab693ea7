// What the emulated plain OAuth 2.0 servers share: a socket, the browser's request and codes that count once. They are no
// provider's software; each says in its own file which documents it follows. Changes when such a server needs more.

import { randomBytes } from "node:crypto";
import { startHttpServer } from "../../src/testing/http-server.ts";
import type { ServerAnswer, ServerRequest } from "../../src/testing/http-server.ts";
import { isProven } from "../../src/testing/proof-key.ts";

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
  answerToken(request: ServerRequest, grant: URLSearchParams | undefined): ServerAnswer;
  /** Everything else. */
  answerOther(request: ServerRequest, origin: string): ServerAnswer;
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

  const authorize = (query: URLSearchParams): ServerAnswer => {
    authorizationQueries.push(query);
    const target = new URL(query.get("redirect_uri") ?? "");
    const error = behaviour.refuseAuthorization(query);
    const code = randomBytes(16).toString("hex");
    if (error === undefined) codes.set(code, query);
    target.searchParams.set(error === undefined ? "code" : "error", error ?? code);
    target.searchParams.set("state", query.get("state") ?? "");
    return { status: 302, headers: { location: target.href } };
  };
  const token = (request: ServerRequest): ServerAnswer => {
    tokenForms.push(request.form);
    const code = request.form.get("code") ?? "";
    const grant = codes.get(code);
    const counts =
      grant !== undefined &&
      grant.get("redirect_uri") === request.form.get("redirect_uri") &&
      isProven(grant.get("code_challenge") ?? undefined, request.form.get("code_verifier"));
    const answer = behaviour.answerToken(request, counts ? grant : undefined);
    if ((answer.body ?? "").includes("access_token")) codes.delete(code);
    return answer;
  };
  const answerTo = (request: ServerRequest): ServerAnswer => {
    if (request.path === behaviour.authorizePath) return authorize(request.query);
    if (request.path === behaviour.tokenPath && request.method === "POST") return token(request);
    return behaviour.answerOther(request, server.origin);
  };
  const server = await startHttpServer((request) => {
    seen.push(`${request.method} ${request.path}`);
    return answerTo(request);
  });
  return {
    origin: server.origin,
    seen,
    tokenForms,
    authorizationQueries,
    tokens,
    close: () => server.close(),
  };
}
