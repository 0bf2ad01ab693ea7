// As which client somebody signs in: the one that is set, the one that a document is about, or one that is registered.

import { nowSeconds } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { loadPart } from "../core/load.ts";
import { Secret } from "../core/secret.ts";
import { option, say, type Wording } from "../core/wording.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { RegisteredClient } from "../record/format.ts";
import type { FlowWorld } from "./flow-world.ts";
import type { SignInConfig, SignInInput } from "./sign-in-config.ts";

/** A client, and what is to be remembered of it. */
export interface SignInClient extends Pick<SignInConfig, "clientId" | "credential"> {
  readonly registered?: RegisteredClient;
}

/** Gives the client of a sign-in that is answered at this address; undefined: at none. The first answer stays. */
export type ClientOfSignIn = (redirectUri: string | undefined) => Promise<SignInClient>;

/** Whether a client is named by the address of a document about it (Client ID Metadata Document). */
function isDocument(clientId: string): boolean {
  const url = URL.parse(clientId);
  return url !== null && url.protocol === "https:" && url.pathname !== "/";
}

function noClient(
  { clientId }: SignInConfig,
  { issuer }: ProviderMetadata,
  why: string | Wording,
): OidcError {
  const own =
    clientId === ""
      ? "No client is named"
      : say`${option("clientId")} is the address of a client id metadata document, which ${hostAndPort(issuer)} does not take`;
  return new OidcError("missing_client_id", say`${own}, and ${why} (discovery).`, {
    remedy: say`Set ${option("clientId")} to a client that is registered with the provider.`,
  });
}

/** The client that was registered at the sign-in before, where it may be answered here and its secret lasts. */
function registeredBefore(
  { clock }: FlowWorld,
  { context: { before } }: SignInInput,
  { issuer }: ProviderMetadata,
  redirectUri: string | undefined,
): SignInClient | undefined {
  const registered = before?.registered;
  const isFromHere = before?.issuer === issuer;
  if (before === undefined || registered === undefined || !isFromHere) return undefined;
  const { secret, secretExpiresAt = Number.POSITIVE_INFINITY, redirectUris } = registered;
  if (secretExpiresAt <= nowSeconds(clock)) return undefined;
  if (redirectUri !== undefined && !redirectUris.includes(redirectUri)) return undefined;
  const credential =
    secret === undefined
      ? ({ kind: "none" } as const)
      : ({ kind: "secret", secret: new Secret(secret) } as const);
  return { clientId: before.clientId, credential, registered };
}

async function register(
  world: FlowWorld,
  input: SignInInput,
  metadata: ProviderMetadata,
  endpoint: string,
  redirectUri: string | undefined,
): Promise<SignInClient> {
  const { registerClient } = await loadPart(() => import("../provider/registration.ts"));
  const redirectUris = redirectUri === undefined ? [] : [redirectUri];
  const { clientId, secret, method, secretExpiresAt } = await registerClient(world, {
    endpoint,
    metadata,
    clientName: input.settings.applicationName ?? "Latchkey",
    redirectUris,
    signal: input.context.signal,
  });
  return {
    clientId,
    credential:
      secret === undefined
        ? { kind: "none" }
        : { kind: "secret", secret, ...(method === undefined ? {} : { method }) },
    registered: {
      redirectUris,
      ...(secret === undefined ? {} : { secret: secret.reveal() }),
      ...(secretExpiresAt === undefined ? {} : { secretExpiresAt }),
    },
  };
}

/**
 * Decides as which client somebody signs in. What it gives rejects with `missing_client_id`, `registration_failed`,
 * `endpoint_invalid`, and what the transport throws.
 * @see RFC 7591, draft-ietf-oauth-client-id-metadata-document
 */
export function clientOfSignIn(
  world: FlowWorld,
  input: SignInInput,
  metadata: ProviderMetadata,
): ClientOfSignIn {
  const { config } = input;
  const { clientId, credential, registration, namedByResource } = config;
  const decide = async (redirectUri: string | undefined): Promise<SignInClient> => {
    const isOfDocument = namedByResource && isDocument(clientId);
    const isTaken = !isOfDocument || metadata.clientIdDocuments === true;
    if (clientId !== "" && isTaken) return { clientId, credential };
    const unusable = metadata.unusable?.["registration_endpoint"];
    if (registration === "none") {
      throw noClient(config, metadata, say`${option("registration")} is none`);
    }
    if (unusable !== undefined) throw unusable;
    const endpoint = metadata.registrationEndpoint;
    if (endpoint === undefined) {
      throw noClient(config, metadata, "the provider registers none by itself");
    }
    const known = registeredBefore(world, input, metadata, redirectUri);
    return known ?? register(world, input, metadata, endpoint, redirectUri);
  };
  let decided: Promise<SignInClient> | undefined;
  return (redirectUri) => (decided ??= decide(redirectUri));
}

/** The input with the client in it. */
export function asClient(input: SignInInput, { clientId, credential }: SignInClient): SignInInput {
  return { ...input, config: { ...input.config, clientId, credential } };
}
