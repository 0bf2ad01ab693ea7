// Whether an answer is a success. What becomes of any other one is a part that is loaded only then.

import { loadPart } from "../core/load.ts";
import type { HttpAnswer } from "../http/exchange.ts";
import { readAnswerObject, textOf } from "./answer-body.ts";
import type { RequestContext } from "./refusal.ts";

/** The body of an answer that is a success; undefined for a refusal, with status 200 too, and for what is unreadable. */
export function acceptedBody(answer: HttpAnswer): Readonly<Record<string, unknown>> | undefined {
  if (answer.status >= 300) return undefined;
  const body = readAnswerObject(answer);
  return body.ok && textOf(body.value["error"]) === undefined ? body.value : undefined;
}

/**
 * The body of a successful answer. What is made of any other one is loaded only then: it is a good part of the protocol.
 * @throws {OidcError} `token_request_failed` for a refusal (with status 200 too), `rate_limited` for one by such a word,
 * `token_response_invalid` for anything that is neither a JSON object nor a form, `network` where the server failed.
 */
export async function successfulBody(
  answer: HttpAnswer,
  context: RequestContext,
): Promise<Readonly<Record<string, unknown>>> {
  const body = acceptedBody(answer);
  if (body !== undefined) return body;
  const { refusedAnswer } = await loadPart(() => import("./refusal.ts"));
  throw refusedAnswer(answer, context);
}
