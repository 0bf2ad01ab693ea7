// How the test provider's endpoints fail on request. Changes when they can fail in another way.

import { json, type ServerAnswer, type ServerOutcome } from "../http-server.ts";
import type { TestProviderEndpoint, TestProviderFailure } from "./provider-types.ts";

interface Rule {
  readonly endpoint: TestProviderEndpoint;
  readonly failure: TestProviderFailure;
  left: number;
}

/** The failures in force. */
export class Failures {
  readonly #rules: Rule[] = [];

  /** Adds one; the result takes it away. */
  add(endpoint: TestProviderEndpoint, failure: TestProviderFailure, times: number): () => void {
    const rule = { endpoint, failure, left: times };
    this.#rules.unshift(rule);
    return () => {
      rule.left = 0;
    };
  }

  /** The answer of an endpoint, or how it fails; `answer` does its work. */
  outcome(endpoint: TestProviderEndpoint, answer: () => ServerAnswer): ServerOutcome {
    const rule = this.#rules.find((each) => each.endpoint === endpoint && each.left > 0);
    if (rule === undefined) return answer();
    rule.left -= 1;
    const { failure } = rule;
    if (failure === "reset" || failure === "silent") return failure;
    if (failure === "lost") {
      answer();
      return "reset";
    }
    const { status, error, errorDescription, headers } = failure;
    if (error === undefined) return { status, ...(headers === undefined ? {} : { headers }) };
    const told = json(status, {
      error,
      ...(errorDescription === undefined ? {} : { error_description: errorDescription }),
    });
    return { ...told, headers: { ...told.headers, ...headers } };
  }
}
