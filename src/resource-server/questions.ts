// Asks a provider about a token, in the mode that is set: where, with what, and what its answer comes to.

import { loadPart } from "../core/load.ts";
import { Secret } from "../core/secret.ts";
import { introspectedProblem } from "../keys/introspected-claims.ts";
import { identityOf } from "./identity.ts";
import type { KeyWorld } from "./issuer-keys.ts";
import type { IssuerRules } from "./issuer-options.ts";
import type { JudgedAnswer } from "./remembered-answers.ts";
import type { AskingMode, AskingRoute } from "./token-routes.ts";
import type { BearerQuestion } from "../provider/bearer-questions.ts";
import type { ClientAuthenticationMethod } from "../provider/client-authentication.ts";

type Claims = Readonly<Record<string, unknown>>;

/** Asks about one token. Undefined: it is none of the provider's, or not any more. It rejects with `OidcError` alone. */
export type Question = (token: string) => Promise<Claims | undefined>;

async function endpointOf(
  world: KeyWorld,
  issuer: string,
  field: "introspection_endpoint" | "userinfo_endpoint",
): Promise<string> {
  const document = await world.document(issuer);
  const { endpointIn } = await loadPart(() => import("../provider/issuer-endpoints.ts"));
  return endpointIn(document, issuer, field);
}

function introspectionQuestion(world: KeyWorld, rules: IssuerRules): Question {
  const { issuer, introspectionEndpoint, introspectionClientId: clientId = "" } = rules;
  const clientSecret = rules.introspectionClientSecret;
  let method: ClientAuthenticationMethod | undefined;
  const firstMethod = async (): Promise<ClientAuthenticationMethod> => {
    const [{ chooseAuthenticationMethod }, { introspectionMethodsIn }] = await Promise.all([
      loadPart(() => import("../provider/client-authentication.ts")),
      loadPart(() => import("../provider/issuer-endpoints.ts")),
    ]);
    // An endpoint that is set needs no document.
    const listed =
      introspectionEndpoint === undefined
        ? introspectionMethodsIn(await world.document(issuer))
        : undefined;
    return chooseAuthenticationMethod(listed, { clientSecret });
  };
  return async (token) => {
    const url =
      introspectionEndpoint ?? (await endpointOf(world, issuer, "introspection_endpoint"));
    const { introspect } = await loadPart(() => import("../provider/introspection-endpoint.ts"));
    const client = { clientId, clientSecret };
    const input = { introspectionEndpoint: url, client, token: new Secret(token) };
    const answer = await introspect(await world.http(), input, method ?? (await firstMethod()));
    method = answer.method;
    return answer.claims;
  };
}

function bearerQuestion(
  world: KeyWorld,
  rules: IssuerRules,
  mode: "userinfo" | "openshift_userapi",
): Question {
  const load = async (): Promise<BearerQuestion> => {
    if (mode === "userinfo") {
      return (await loadPart(() => import("../provider/bearer-questions.ts"))).userInfoQuestion;
    }
    const part = await loadPart(() => import("../provider/quirks/user-api.ts"));
    return part.openShiftQuestion;
  };
  return async (text) => {
    const question = await load();
    const token = new Secret(text);
    const given = mode === "userinfo" ? rules.userinfoEndpoint : rules.openshiftUserApiUri;
    const url = given ?? (await endpointOf(world, rules.issuer, "userinfo_endpoint"));
    const http = await world.http();
    return question.read(await http.send(question.request(url, token)), token);
  };
}

/** The question of a mode at one issuer. */
export function questionOf(world: KeyWorld, { rules, mode }: AskingRoute): Question {
  return mode === "introspection"
    ? introspectionQuestion(world, rules)
    : bearerQuestion(world, rules, mode);
}

/** A person who uses a token is whoever the provider says it is; only an introspection says more of the token itself. */
function problemOf(
  claims: Claims,
  mode: AskingMode,
  judge: AnswerJudge,
): ReturnType<typeof introspectedProblem> {
  const { rules, clockToleranceSeconds, nowSeconds } = judge;
  const { issuer, audiences, acceptsUnbound, acceptsUnmarked } = rules;
  const expected = { issuer, audiences, acceptsUnbound, acceptsUnmarked, clockToleranceSeconds };
  if (mode === "introspection") return introspectedProblem(claims, expected, nowSeconds);
  const ofPerson = { ...expected, acceptsUnmarked: true };
  return introspectedProblem({ sub: claims["sub"] }, ofPerson, nowSeconds);
}

/** What an answer is judged by. */
export interface AnswerJudge {
  readonly rules: IssuerRules;
  readonly clockToleranceSeconds: number;
  readonly nowSeconds: number;
}

/** What the answer to a question comes to. */
export function judgedAnswer(
  claims: Claims | undefined,
  mode: AskingMode,
  judge: AnswerJudge,
): JudgedAnswer {
  if (claims === undefined) return { problem: "inactive" };
  const problem = problemOf(claims, mode, judge);
  if (problem !== undefined) return { problem };
  const made = identityOf(claims, judge.rules);
  if ("problem" in made) return made;
  const exp = mode === "introspection" ? claims["exp"] : undefined;
  return {
    identity: made.identity,
    expiresAt: typeof exp === "number" ? exp : undefined,
    // What an answer takes as an object is several times its text.
    bytes: 1000 + JSON.stringify(claims).length * 4,
  };
}
