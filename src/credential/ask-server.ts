// Asks the server that a configuration names which provider to use, and lets its word count. Changes when there is another
// kind of server.

import type { OidcIssuerSource } from "../core/oidc-issuer.ts";
import { OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { loadPart } from "../core/load.ts";
import { shownServer } from "../core/server-words.ts";
import { option, say } from "../core/wording.ts";
import type { HttpClient } from "../http/exchange.ts";
import type { ResolvedOptions } from "../options/types.ts";
import type { RecordServer } from "../record/format.ts";
import { nameOfSource } from "../record/key.ts";
import { checkedConfig } from "../server/checked-config.ts";
import { resourceConfigSource } from "../server/protected-resource.ts";
import type { ServerConfig, ServerConfigSource } from "../server/server-config.ts";
import { admitServerConfig } from "../trust/server-trust.ts";
import type { TrustParts } from "./compose-trust.ts";
import { needsServerAudience, type AdmittedAnswer, type AskServer } from "./sign-in-source.ts";

/** What a server is asked with. */
export interface AskingParts {
  readonly options: ResolvedOptions;
  readonly http: HttpClient;
  readonly trust: TrustParts;
}

/** A server that the program asks by itself. What it throws is its own, and its answer is believed as little as any. */
function programConfigSource(server: OidcIssuerSource): ServerConfigSource {
  const name = nameOfSource(server) ?? "";
  const fail = (what: string, cause?: unknown): OidcError =>
    new OidcError("server_config_failed", `${shownServer(name)} ${what} (server configuration).`, {
      reason: "malformed",
      remedy: say`Check what ${option("server")} answers.`,
      cause,
    });
  return {
    server: name,
    host: URL.canParse(name) ? new URL(name).host : name,
    async ask() {
      let said: unknown;
      try {
        said = await server.getOidcIssuer();
      } catch (error) {
        throw fail("could not say which provider to use: its `getOidcIssuer` failed", error);
      }
      if (typeof said !== "object" || said === null) throw fail("gave no answer");
      const { issuer, clientId, scopes, audience } = said as Readonly<Record<string, unknown>>;
      const textOf = (value: unknown): string | undefined => {
        if (value === undefined || value === null) return undefined;
        if (typeof value === "string") return value;
        throw fail("gave something else than texts");
      };
      return checkedConfig(
        {
          issuer: textOf(issuer) ?? "",
          clientId: textOf(clientId),
          audience: textOf(audience),
          scopes: Array.isArray(scopes) ? scopes.map(textOf).join(" ") : textOf(scopes),
        },
        fail,
      );
    },
  };
}

async function sourceOf({ options, http, trust }: AskingParts): Promise<ServerConfigSource> {
  const { server, issuer } = options;
  if (typeof server === "object") return programConfigSource(server);
  const address = server ?? "";
  if (/^grpcs?:/i.test(address)) {
    const { grpcConfigSource } = await loadPart(() => import("../grpc/get-oidc-issuer.ts"));
    return grpcConfigSource(address, http);
  }
  const source = resourceConfigSource(address, http, {
    preferredIssuer: async () =>
      issuer === "" ? (await trust.pins.read(source.server))?.issuer : issuer,
    warn: trust.warn,
  });
  return source;
}

function remembered(server: string, said: ServerConfig, isExplicit: boolean): RecordServer {
  const { scopes, audience, resource } = said;
  return {
    address: server,
    ...(isExplicit ? { accepted: true } : {}),
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    ...(audience === undefined ? {} : { audience }),
    ...(resource === undefined ? {} : { resource }),
  };
}

// Addresses of a network's own equipment, and of the machine's cloud, in their usual forms.
const linkLocal = /^(?:169\.254\.|\[fe[89ab])/i;

/**
 * A server elsewhere that names this machine or its link would have us ask what it cannot reach itself (D18).
 * @throws {OidcError} `server_config_failed`.
 */
export function assertReachableElsewhere(
  { host }: Pick<ServerConfigSource, "host">,
  { issuer }: ServerConfig,
): void {
  const named = new URL(issuer).hostname;
  const asked = URL.canParse(`https://${host}`) ? new URL(`https://${host}`).hostname : "";
  const isInside = asked !== "" && isLoopbackHost(named) && !isLoopbackHost(asked);
  if (!isInside && !linkLocal.test(named)) return;
  throw new OidcError(
    "server_config_failed",
    `${host} names ${hostAndPort(issuer)} as the provider, which is an address inside this machine or its link (server configuration). Nothing was sent there.`,
    {
      reason: "malformed",
      remedy: say`Ask whoever runs the server, or set ${option("issuer")} if it is yours.`,
    },
  );
}

/** @throws {OidcError} where neither the options nor the server say enough. */
function assertEnough(server: string, said: ServerConfig, options: ResolvedOptions): void {
  const host = shownServer(server);
  if (options.clientId === "" && said.clientId === "" && options.registration === "none") {
    throw new OidcError(
      "missing_client_id",
      `${host} names the provider ${hostAndPort(said.issuer)}, and no client to sign in as.`,
      {
        remedy: say`Set ${option("clientId")} to the client that is registered with the provider.`,
      },
    );
  }
  if (needsServerAudience(options) && said.audience === undefined) {
    throw new OidcError(
      "server_config_failed",
      say`${option("useServerAudience")} is set, and ${host} names no audience (server configuration).`,
      {
        reason: "no_audience",
        remedy: say`Set ${option("audience")}, or leave ${option("useServerAudience")} out.`,
      },
    );
  }
}

/** A server, and what it said. */
export interface ServerAnswer {
  readonly source: ServerConfigSource;
  readonly said: ServerConfig;
}

/** Asks, without letting the answer count. @throws {OidcError} `server_config_failed`, and what a request fails with. */
export async function readServer(
  parts: AskingParts,
  signal: AbortSignal | undefined,
): Promise<ServerAnswer> {
  const source = await sourceOf(parts);
  const said = await source.ask(signal);
  if (parts.options.issuer === "") assertReachableElsewhere(source, said);
  return { source, said };
}

/** Asks, and lets the answer count before anything is sent to the issuer that it names. */
export async function askServer(
  parts: AskingParts,
  context: Parameters<AskServer>[0],
): Promise<AdmittedAnswer> {
  return admitAnswer(parts, await readServer(parts, context.signal), context);
}

/**
 * Lets an answer count. `scopes`: those that will be requested, for the question; default: as the options have them.
 * @throws {OidcError} as {@link admitServerConfig} does; `missing_client_id`, `server_config_failed`.
 */
export async function admitAnswer(
  { options, trust }: Pick<AskingParts, "options" | "trust">,
  {
    source,
    said,
  }: { readonly source: Pick<ServerConfigSource, "server" | "host">; readonly said: ServerConfig },
  { signal, beforePrompt }: Parameters<AskServer>[0],
  scopes: readonly string[] | undefined = options.scopes,
): Promise<AdmittedAnswer> {
  assertEnough(source.server, said, options);
  const { ask } = trust;
  const { isExplicit } = await admitServerConfig(said, {
    server: source.server,
    host: source.host,
    // Over TLS that was verified, from this machine, or from the program itself.
    isVerified: true,
    policy: options.trustServer,
    callerIssuer: options.issuer,
    callerClientId: options.clientId,
    sendsSecret: options.clientSecret !== undefined && options.clientSecret !== "",
    scopes,
    pins: trust.pins,
    ask:
      ask &&
      (async (...question) => {
        // A question is a prompt: how many go unanswered is counted.
        await beforePrompt?.();
        return ask(...question);
      }),
    warn: trust.warn,
    signal,
  });
  return {
    issuer: said.issuer,
    clientId: said.clientId,
    answer: remembered(source.server, said, isExplicit),
  };
}
