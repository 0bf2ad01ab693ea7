// Asks a gRPC server which provider to use: the unary call GetOidcIssuer, under its own name and the reference system's.

import { OidcError, sanitizeProviderText } from "../core/errors.ts";
import { maxServerQuestionSeconds } from "../core/limits.ts";
import { serverSteps } from "../core/server-steps.ts";
import type { HttpAnswer, HttpClient } from "../http/exchange.ts";
import { checkedConfig } from "../server/checked-config.ts";
import type { ServerConfig, ServerConfigSource } from "../server/server-config.ts";
import { parseGrpcAddress, type GrpcAddress } from "./address.ts";
import { adminService, type GetOidcIssuerResponse } from "../messages/admin-service.ts";
import { frameOf, messageIn } from "./frame.ts";
import { oidcService } from "../messages/oidc-service.ts";
import type { UnaryMethod } from "../messages/protobuf.ts";
import { askWhoeverRunsIt, statusError, statusOf, unimplemented } from "./status.ts";

/** What the operation is called in messages. */
const step = serverSteps.configuration;

type Answer = Omit<GetOidcIssuerResponse, "error"> & Partial<Pick<GetOidcIssuerResponse, "error">>;
type Method = UnaryMethod<object, Answer>;

/** In the order in which they are asked. Both answers have one layout. */
const methods: readonly Method[] = [oidcService.getOidcIssuer, adminService.getOidcIssuer];

function failed(
  reason: "not_found" | "not_configured" | "malformed",
  { host }: GrpcAddress,
  what: string,
  quote?: string,
): OidcError {
  return new OidcError("server_config_failed", `${host} ${what} (${step}).`, {
    reason,
    remedy:
      reason === "malformed"
        ? "Is this the address of a gRPC server that takes bearer tokens?"
        : askWhoeverRunsIt,
    quote,
  });
}

function call({ path }: Method, { origin }: GrpcAddress, http: HttpClient, signal?: AbortSignal) {
  return http.send({
    method: "POST",
    url: `${origin}${path}`,
    step,
    // No `grpc-accept-encoding`: an answer that is compressed is refused.
    headers: { "content-type": "application/grpc", te: "trailers" },
    accept: "application/grpc",
    // GetOidcIssuerRequest is empty. Nothing that is secret goes along (D19).
    message: frameOf(Buffer.alloc(0)),
    maxSeconds: maxServerQuestionSeconds,
    signal,
  });
}

function isGrpc({ status, headers }: HttpAnswer): boolean {
  return status === 200 && /^application\/grpc(?:$|[+;])/.test(headers["content-type"] ?? "");
}

function decode(method: Method, body: Uint8Array, address: GrpcAddress): Answer {
  try {
    return method.responseDeserialize(messageIn(body));
  } catch {
    throw failed("malformed", address, "answered with something that is no message of this call");
  }
}

/** Undefined where the server has no such method. */
async function ask(
  method: Method,
  address: GrpcAddress,
  http: HttpClient,
  signal: AbortSignal | undefined,
): Promise<ServerConfig | undefined> {
  const answer = await call(method, address, http, signal);
  if (!isGrpc(answer)) {
    throw failed("malformed", address, `does not speak gRPC: it answered with ${answer.status}`);
  }
  const status = statusOf(answer);
  if (status?.code === unimplemented) return undefined;
  if (status === undefined) throw failed("malformed", address, "did not end its answer");
  if (status.code !== 0) throw statusError(status, address.host, step);
  const said = decode(method, answer.body, address);
  const problem = said.error?.find(({ code, message }) => code !== 0 || message !== "");
  if (problem !== undefined || !said.configured || said.issuer === "") {
    const quote = sanitizeProviderText(problem?.message ?? "");
    throw failed("not_configured", address, "names no provider to sign in at", quote);
  }
  return checkedConfig(said, (what) => failed("malformed", address, what));
}

/**
 * A gRPC server that can be asked which provider to use: as `latchkey.v1.OidcService`, and where it does not implement
 * that, as `xgtproto.AdminService`. The call carries no token, follows no redirect, takes 10 s at most, and its roots and
 * proxies are those of `http`.
 * @throws {OidcError} `invalid_option`, `insecure_url` for an address that is none. Asking rejects with
 * `server_config_failed`, `network`, `timeout`, `tls`, `rate_limited`, `response_too_large`, `ca_bundle_invalid`,
 * `aborted`.
 */
export function grpcConfigSource(address: string, http: HttpClient): ServerConfigSource {
  const parsed = parseGrpcAddress(address);
  return {
    server: parsed.server,
    host: parsed.host,
    ask: async (signal) => {
      for (const method of methods) {
        const config = await ask(method, parsed, http, signal);
        if (config !== undefined) return config;
      }
      throw failed("not_found", parsed, "does not say which provider to sign in at");
    },
  };
}
