// A program that knows a resource's address and nothing else, for tests of `createFetch`.

import { onTestFinished, vi } from "vitest";
import {
  createFetch,
  type OidcAuthOptions,
  type PromptEvent,
  type TrustQuestionEvent,
} from "../../src/index.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import {
  startRefusingResource,
  wellKnown,
  type RefusingResource,
  type RefusingResourceScript,
} from "../support/refusing-resource.ts";
import { emptyHome, person, provider, trustOf } from "./harness.ts";

/** A resource, its provider, and somebody who answers every question with yes. */
export interface Scene {
  readonly identityProvider: IdentityProvider;
  readonly resource: RefusingResource;
  readonly questions: TrustQuestionEvent[];
  readonly events: PromptEvent[];
  /** A `fetch` of another program, as it were. */
  readonly onPrompt: (event: PromptEvent) => void;
  readonly program: (changes?: OidcAuthOptions) => typeof fetch;
}

/** Where the resource is. */
export const path = "/mcp";

/** A resource at `/mcp` whose metadata name a provider and its public client; nobody is signed in. */
export async function scene(
  script: (identityProvider: IdentityProvider) => RefusingResourceScript = () => ({}),
): Promise<Scene> {
  emptyHome();
  vi.stubEnv("CI", "");
  onTestFinished(() => void vi.unstubAllEnvs());
  const identityProvider = await provider();
  const resource = await startRefusingResource({
    documents: (origin) => ({ [`${wellKnown}${path}`]: said(identityProvider, origin) }),
    ...script(identityProvider),
  });
  const questions: TrustQuestionEvent[] = [];
  const events: PromptEvent[] = [];
  const someone = person(trustOf(identityProvider));
  const onPrompt = (event: PromptEvent): void => {
    events.push(event);
    if (event.type === "trustQuestion") {
      questions.push(event);
      event.accept();
    }
    someone.onPrompt(event);
  };
  const desk = { openBrowser: false, callbackPort: 0, callbackTimeoutSeconds: 15, onPrompt };
  return {
    identityProvider,
    resource,
    questions,
    events,
    onPrompt,
    program: (changes = {}) => createFetch({ ...desk, ...changes }),
  };
}

/** What a resource says of itself. */
export function said(
  identityProvider: IdentityProvider,
  origin: string,
  members: object = {},
): Readonly<Record<string, unknown>> {
  return {
    resource: `${origin}${path}`,
    authorization_servers: [identityProvider.issuer],
    client_id: identityProvider.clients.public.clientId,
    scopes_supported: ["openid"],
    ...members,
  };
}

/** Changes members of the provider's metadata; undefined takes one away. */
export function tamperMetadata(
  { identityProvider }: Pick<Scene, "identityProvider">,
  members: Readonly<Record<string, unknown>>,
): void {
  identityProvider.tamper({
    path: "discovery",
    respond: async (_request, genuine) => {
      const answer = await genuine();
      return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), ...members }) };
    },
  });
}
