// Asks a resource that refused a request which provider to use, and lets its word count.

import { isErrorOf, OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { shownAddress } from "../core/server-words.ts";
import { option, say } from "../core/wording.ts";
import type { ResolvedOptions } from "../options/types.ts";
import {
  addressOfServer,
  challengedMetadataForm,
  readResourceMetadata,
  resourceMetadataForms,
} from "../server/protected-resource.ts";
import type { ServerConfig } from "../server/server-config.ts";
import { admitAnswer, assertReachableElsewhere, type AskingParts } from "./ask-server.ts";
import type { AdmittedResource, AskServer } from "./sign-in-source.ts";

/** What a resource said of itself. */
export interface SaidOfResource {
  /** Its canonical address: what its sign-ins are kept and its pin is known under. */
  readonly address: string;
  readonly said: ServerConfig;
}

/** The same, and what is to be requested now. */
export interface ResourceInHand extends SaidOfResource {
  readonly scopes: readonly string[];
}

/** Nothing is sent to another provider than the one that the caller's client is registered with. */
function assertOwnIssuer(
  { issuer: own }: ResolvedOptions,
  { issuer }: ServerConfig,
  host: string,
): void {
  if (own === "" || own === issuer) return;
  throw new OidcError(
    "issuer_mismatch",
    say`${host} names the provider ${shownAddress(issuer)}, and ${option("issuer")} is ${shownAddress(own)} (server configuration). Nothing was sent to either.`,
    {
      remedy: say`Ask whoever runs the server; where it has moved, set ${option("issuer")} and ${option("clientId")} to a client at the new provider.`,
    },
  );
}

/** What the options say, for a resource that says nothing. */
function configured(
  { issuer, clientId, registration }: ResolvedOptions,
  server: string,
): ServerConfig | undefined {
  if (issuer === "" || (clientId === "" && registration === "none")) return undefined;
  return { issuer, clientId, scopes: undefined, audience: undefined, resource: server };
}

/**
 * Reads the resource's metadata: at the address that its refusal names and no other, else at the well-known places.
 * @param server the address that was asked, without query and fragment.
 * @throws {OidcError} `server_config_failed`, `resource_mismatch`, `issuer_mismatch`, and what the transport throws.
 * @see RFC 9728 sections 3 and 5
 */
export async function askResource(
  { options, http, trust }: AskingParts,
  server: string,
  metadataAddress: string | undefined,
): Promise<SaidOfResource> {
  const host = hostAndPort(server);
  const { origin } = new URL(server);
  const forms =
    metadataAddress === undefined
      ? resourceMetadataForms(server)
      : [challengedMetadataForm(metadataAddress, server)];
  const pinned = async (): Promise<string | undefined> => {
    for (const address of [addressOfServer(server), origin]) {
      const pin = await trust.pins.read(address);
      if (pin !== undefined) return pin.issuer;
    }
    return undefined;
  };
  const preferredIssuer = async (): Promise<string | undefined> =>
    options.issuer === "" ? pinned() : options.issuer;
  let said: ServerConfig;
  try {
    const { warn } = trust;
    said = await readResourceMetadata(http, forms, { signal: undefined, preferredIssuer, warn });
  } catch (error) {
    const own = configured(options, server);
    const isSilent = isErrorOf(error, "server_config_failed", "not_found");
    if (!isSilent || metadataAddress !== undefined || own === undefined) throw error;
    said = own;
  }
  assertOwnIssuer(options, said, host);
  if (options.issuer === "") assertReachableElsewhere({ host }, said);
  return { address: addressOfServer(said.resource ?? server), said };
}

/** Lets what a resource said count, before anything is sent to the issuer that it names. */
export async function admitResource(
  parts: AskingParts,
  { address, said, scopes }: ResourceInHand,
  context: Parameters<AskServer>[0],
): Promise<AdmittedResource> {
  const source = { server: address, host: hostAndPort(address) };
  const admitted = await admitAnswer(parts, { source, said }, context, scopes);
  const { clientId } = parts.options;
  return { ...admitted, clientId: clientId === "" ? admitted.clientId : clientId, scopes };
}
