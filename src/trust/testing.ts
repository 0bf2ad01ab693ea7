// Answers of servers, people who are asked, and what becomes of both. For tests.

import { OidcError } from "../core/errors.ts";
import type { ServerConfig } from "../server/server-config.ts";
import type { TrustPolicy } from "./decision.ts";
import { createMemoryPins } from "./memory-pins.ts";
import type { PinStore } from "./pins.ts";
import { admitServerConfig, type TrustCircumstances, type TrustQuestion } from "./server-trust.ts";

export const said: ServerConfig = {
  issuer: "https://login.example.net",
  clientId: "graph-cli",
  scopes: ["openid", "profile"],
  audience: undefined,
  resource: undefined,
};
export const server: string = "https://data.example.com";
export const policies: readonly TrustPolicy[] = ["first-use", "ask", "pinned"];

export interface Person {
  readonly ask: TrustCircumstances["ask"];
  readonly questions: TrustQuestion[];
}

export function person(answer: boolean | "unanswered"): Person {
  const questions: TrustQuestion[] = [];
  return {
    questions,
    ask: (question) => {
      questions.push(question);
      return Promise.resolve(answer);
    },
  };
}

export function circumstances(changes: Partial<TrustCircumstances> = {}): TrustCircumstances {
  return {
    server,
    host: "data.example.com",
    isVerified: true,
    policy: "first-use",
    callerIssuer: "",
    callerClientId: "",
    pins: createMemoryPins(),
    ask: undefined,
    signal: undefined,
    ...changes,
  };
}

/** What becomes of an answer: who accepted it, or the code and reason of the error. */
export async function outcomeOf(
  config: Partial<ServerConfig>,
  changes: Partial<TrustCircumstances>,
): Promise<string> {
  try {
    const { acceptedBy, isExplicit } = await admitServerConfig(
      { ...said, ...config },
      circumstances(changes),
    );
    return `${acceptedBy}${isExplicit ? ", explicit" : ""}`;
  } catch (error) {
    if (!(error instanceof OidcError)) throw error;
    return [error.code, ...(error.reason === undefined ? [] : [error.reason])].join(": ");
  }
}

export async function pinnedBy(acceptedBy: "person" | "first-use"): Promise<PinStore> {
  const pins = createMemoryPins();
  const { resource: _no, ...answer } = said;
  await pins.replace(server, undefined, { ...answer, acceptedBy });
  return pins;
}
