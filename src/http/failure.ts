// What the failures of the wire, Node's error codes among them, mean to a person, and whether a retry makes sense.

import { OidcError } from "../core/errors.ts";
import type { Reason } from "../core/errors.ts";
import { serverSteps } from "../core/server-steps.ts";
import { option, say } from "../core/wording.ts";
import { tooLarge } from "./bounded-body.ts";
import { isCertificateCode, isTlsCode } from "./tls-codes.ts";
import { WireFailure } from "./wire-failure.ts";

/** Where an operation failed, in the words of messages. */
export interface FailurePlace {
  readonly step: string;
  /** `host:port`. */
  readonly host: string;
  readonly hostname: string;
  /** `host:port` of the proxy in between. */
  readonly proxyHost: string | undefined;
  readonly connectTimeoutSeconds: number;
  /** Whether the address is an `http:` one. */
  readonly isPlain: boolean;
}

/** A failed exchange: the error for the caller, and what may still be done about it. */
export interface Failure {
  readonly error: OidcError;
  /** Whether a metadata GET is worth one more try. */
  readonly retry: boolean;
  /** The TLS library's code, where a look at the certificate can make the message better. */
  readonly tlsCode?: string;
}

interface Lower {
  readonly code: string;
  readonly syscall: string | undefined;
}

const deepestCause = 5;

/** The lowest known code below what was thrown. Nothing of the objects themselves is kept (O03, CVE-2023-36052). */
function lowerError(thrown: unknown): Lower {
  let current: unknown = thrown;
  for (let depth = 0; depth < deepestCause && current instanceof Error; depth += 1) {
    const { code, syscall } = current as NodeJS.ErrnoException;
    if (typeof code === "string" && /^[A-Z][A-Z0-9_]{1,80}$/.test(code)) {
      const safeSyscall = /^[a-z]{1,20}$/i.test(syscall ?? "") ? syscall : undefined;
      return { code, syscall: safeSyscall };
    }
    const [first] = current instanceof AggregateError ? (current.errors as unknown[]) : [];
    current = first ?? current.cause;
  }
  return { code: "", syscall: undefined };
}

function freshCause({ code, syscall }: Lower): Error {
  const cause = new Error(code === "" ? "unknown failure of the transport" : code);
  if (code !== "") Object.assign(cause, { code });
  if (syscall !== undefined) Object.assign(cause, { syscall });
  return cause;
}

const brokenOff = new Set(["ECONNABORTED", "ECONNRESET", "EPIPE", "ERR_STREAM_PREMATURE_CLOSE"]);
// The system's own limit, and Node's for one of several addresses.
const connectionTimeouts = new Set(["ETIMEDOUT", "ERR_SOCKET_CONNECTION_TIMEOUT"]);
const noWay = new Set([
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "EACCES",
  "EPERM",
]);

/** Describes what a request, or reading its answer, threw. */
export function describeFailure(thrown: unknown, place: FailurePlace): Failure {
  const lower = lowerError(thrown);
  const { code } = lower;
  const via = place.proxyHost === undefined ? "" : ` through the proxy ${place.proxyHost}`;
  const proxyQuestion =
    place.proxyHost === undefined
      ? "is a proxy needed (HTTPS_PROXY)?"
      : "is the proxy right (HTTPS_PROXY, NO_PROXY)?";
  const isServer = Object.values<string>(serverSteps).includes(place.step);
  const rightQuestion = `Is the ${isServer ? "server's address" : "issuer"} right`;
  const unreached = `Could not reach ${place.host} (${place.step})${via}`;
  const fail = <Code extends "network" | "timeout" | "tls">(
    kind: Code,
    reason: Reason<Code>,
    summary: string,
    remedy: string,
    retry: boolean,
  ): Failure => ({
    error: new OidcError(kind, summary, { reason, remedy, cause: freshCause(lower) }),
    retry,
  });
  const network = (
    reason: Reason<"network">,
    summary: string,
    remedy: string,
    retry = true,
  ): Failure => fail("network", reason, summary, remedy, retry);

  if (thrown instanceof WireFailure) {
    const { kind, status } = thrown;
    switch (kind) {
      case "proxy_status": {
        // tinyproxy answers a wrong password with 401, and only a missing one with 407 (RFC 9110 section 11.7.1).
        return status === 407 || status === 401
          ? network(
              "proxy_authentication",
              `${unreached}: the proxy wants a user name and password, or refused those that it got (${status}).`,
              `Set them in HTTPS_PROXY (http://USER:PASSWORD@${place.proxyHost ?? "HOST:PORT"}).`,
              false,
            )
          : network(
              "proxy_refused",
              `${unreached}: the proxy refused the connection (status ${status}).`,
              "Ask whoever runs the proxy, or exempt the host with NO_PROXY.",
              false,
            );
      }
      case "proxy_hung_up": {
        return network(
          "proxy_refused",
          `${unreached}: the proxy hung up without an answer.`,
          "Is this a proxy, with this port and scheme (HTTPS_PROXY)? If the host needs none, exempt it with NO_PROXY.",
        );
      }
      case "proxy_tls": {
        return fail(
          "tls",
          isCertificateCode(code) ? "certificate" : "protocol",
          `${unreached}: no TLS connection to the proxy came about (${code}).`,
          "Does its port speak HTTPS (HTTPS_PROXY), and is its certificate trusted here?",
          false,
        );
      }
      case "connect_timeout": {
        return fail(
          "timeout",
          "connect",
          `${unreached}: no connection within ${place.connectTimeoutSeconds} s.`,
          `${rightQuestion}, is a firewall in between, and ${proxyQuestion}`,
          false,
        );
      }
      case "blocked_address": {
        const error = new OidcError(
          "endpoint_invalid",
          `${place.host} is at an address inside this machine, its link or a private network (${place.step}), and a server elsewhere named it as the provider's. Nothing was sent there.`,
          {
            reason: "blocked_address",
            remedy: say`Ask whoever runs the server, or set ${option("issuer")} if the provider is yours.`,
          },
        );
        return { error, retry: false };
      }
      case "blocked_port": {
        return network(
          "blocked_port",
          `${unreached}: nothing connects to this port, which the Fetch standard keeps for another service.`,
          `Is the port right? If it is, the ${isServer ? "server" : "provider"} needs another one.`,
          false,
        );
      }
      case "no_http2": {
        return network(
          "malformed",
          `${place.host} does not speak HTTP/2 (${place.step})${via}, which gRPC needs.`,
          "Are the address and its port right? A server without gRPC is named by its https: address.",
          false,
        );
      }
      case "response_too_large": {
        return { error: tooLarge(`${place.host} (${place.step})`), retry: false };
      }
      default: {
        return kind satisfies never;
      }
    }
  }
  if (isTlsCode(code)) {
    const failure = fail(
      "tls",
      isCertificateCode(code) ? "certificate" : "protocol",
      `${unreached}: no TLS connection came about (${code}).`,
      "Does this port speak HTTPS, with TLS 1.2 or later?",
      false,
    );
    return { ...failure, tlsCode: code };
  }
  if (code === "ECONNREFUSED") {
    return network(
      "refused",
      `${unreached}: connection refused.`,
      `${rightQuestion}, and ${proxyQuestion}`,
    );
  }
  if (code === "ENOTFOUND" || code === "EAI_NODATA" || code === "EAI_NONAME") {
    return network(
      "dns",
      `${unreached}: ${place.proxyHost === undefined ? `the name ${place.hostname}` : "the proxy's name"} does not resolve.`,
      place.proxyHost === undefined
        ? `${rightQuestion}, is this machine online, and ${proxyQuestion}`
        : `Is this machine online, and ${proxyQuestion}`,
      false,
    );
  }
  if (code === "EAI_AGAIN" || code === "EAI_FAIL") {
    return network(
      "dns",
      `${unreached}: names cannot be looked up now (no answer from DNS).`,
      `Is this machine online, and ${proxyQuestion}`,
      false,
    );
  }
  if (connectionTimeouts.has(code)) {
    return fail(
      "timeout",
      "connect",
      `${unreached}: no connection.`,
      `${rightQuestion}, is a firewall in between, and ${proxyQuestion}`,
      true,
    );
  }
  if (brokenOff.has(code)) {
    return network(
      "reset",
      `${place.host} closed the connection before its answer was complete (${place.step})${via}.`,
      // What many servers do where TLS was expected.
      (place.isPlain
        ? "Does this port want https: instead of http:? If not, try again; "
        : "Try again; ") + "if it stays this way, look at firewalls and proxies in between.",
    );
  }
  if (noWay.has(code)) {
    return network(
      "unreachable",
      `${unreached}: there is no way to it from here (${code}).`,
      `Is this machine online, is a VPN needed, and ${proxyQuestion}`,
    );
  }
  if (code === "HPE_HEADER_OVERFLOW") {
    return network(
      "headers_too_large",
      `${place.host} sent more than 16 KiB of headers (${place.step})${via}, which is refused.`,
      `${rightQuestion}?`,
      false,
    );
  }
  if (
    code.startsWith("HPE_") ||
    code.startsWith("ERR_HTTP2_") ||
    code.startsWith("Z_") ||
    code.startsWith("ERR__ERROR_FORMAT") ||
    code.startsWith("ERR_BROTLI")
  ) {
    return network(
      "malformed",
      `What ${place.host} answered (${place.step})${via} is not HTTP that can be understood (${code}).`,
      "Are the address and its port right?",
    );
  }
  return network(
    "unknown",
    `${unreached}: the connection failed${code === "" ? "" : ` (${code})`}.`,
    `Are the address and its port right, and ${proxyQuestion}`,
    code !== "",
  );
}
