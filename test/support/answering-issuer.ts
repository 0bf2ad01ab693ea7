// An issuer that is asked about tokens: what it answers is set by the test, and every question is kept. Changes when
// tests need another kind of question.
import {
  json,
  startHttpServer,
  type ServerOutcome,
  type ServerRequest,
} from "../../src/testing/http-server.ts";

/** What an issuer answers to a question. */
export type AnswerTo = (request: ServerRequest) => ServerOutcome | Promise<ServerOutcome>;

/** A running issuer. */
export interface AnsweringIssuer {
  readonly issuer: string;
  /** Questions so far: everything but discovery and keys. */
  readonly asked: ServerRequest[];
  /** Requests for the discovery document so far. */
  discoveries(): number;
  /** What it answers from now on. */
  answer(next: AnswerTo): void;
  /** Members of its document that are others from now on. */
  describe(members: object): void;
  close(): Promise<void>;
}

/** Starts an issuer; tokens are active by `answer` alone. */
export async function startAnsweringIssuer(
  first: AnswerTo,
  ...keys: readonly unknown[]
): Promise<AnsweringIssuer> {
  const asked: ServerRequest[] = [];
  let discoveries = 0;
  let answer = first;
  let described: object = {};
  const server = await startHttpServer((request) => {
    if (request.path === "/keys") return json(200, { keys });
    if (request.path === "/.well-known/openid-configuration") {
      discoveries += 1;
      const { origin } = server;
      return json(200, {
        issuer: origin,
        jwks_uri: `${origin}/keys`,
        introspection_endpoint: `${origin}/introspect`,
        userinfo_endpoint: `${origin}/userinfo`,
        ...described,
      });
    }
    asked.push(request);
    return answer(request);
  });
  return {
    issuer: server.origin,
    asked,
    discoveries: () => discoveries,
    answer: (next) => void (answer = next),
    describe: (members) => void (described = members),
    close: () => server.close(),
  };
}
