// What a request shows of its sender in addition to a token: scheme, method, address, proofs, certificate.

import { refuse } from "./option-checks.ts";
import type {
  ClientCertificate,
  RequestHeaders,
  TokenRequest,
  VerifyOptions,
} from "./resource-server-types.ts";

/** The sender of one request. */
export interface Sender {
  /** The scheme of `Authorization`, in lower case. */
  readonly scheme: string;
  readonly method: string | undefined;
  /** A path with its query, or a whole URL. */
  readonly url: string | undefined;
  /** Every value of the header `DPoP`. */
  readonly proofs: readonly string[];
  readonly certificate: () => ClientCertificate | undefined;
}

/** The options of `verify` that tell of a sender. */
export const senderOptions: readonly string[] = [
  "scheme",
  "method",
  "url",
  "headers",
  "clientCertificate",
];

/** Who calls `verify` with a token alone. */
export const plainBearer: Sender = {
  scheme: "bearer",
  method: undefined,
  url: undefined,
  proofs: [],
  certificate: () => undefined,
};

function textOf(name: string, value: unknown): string | undefined {
  return value === undefined || typeof value === "string" ? value : refuse(name, "a text");
}

/** Every value of the header `DPoP`, in the object of Node or in one of the Fetch API. */
function proofsIn(headers: RequestHeaders | undefined): readonly string[] {
  if (headers === undefined) return [];
  if (typeof headers !== "object" || headers === null) refuse("headers", "an object");
  const isOfFetch = typeof headers.get === "function";
  const found = isOfFetch
    ? [(headers as Headers).get("dpop")]
    : Object.entries(headers)
        .filter(([name]) => name.toLowerCase() === "dpop")
        .flatMap(([, value]) => value as string | readonly string[] | undefined);
  // Several headers of one name come joined by commas, which no proof has in it.
  return found.flatMap((value) => (typeof value === "string" ? value.split(/ *, */) : []));
}

/** @throws {OidcError} `invalid_option`. */
export function senderOf(options: VerifyOptions): Sender {
  const { headers, clientCertificate } = options;
  return {
    scheme: (textOf("scheme", options.scheme) ?? "bearer").toLowerCase(),
    method: textOf("method", options.method),
    url: textOf("url", options.url),
    proofs: proofsIn(headers),
    certificate: () => clientCertificate,
  };
}

/** The sender of a request to a mount. */
export function senderOfRequest(request: TokenRequest, scheme: string): Sender {
  const { method, url, dpop = [], clientCertificate } = request;
  return {
    scheme: scheme.toLowerCase(),
    method,
    url,
    proofs: dpop,
    certificate: clientCertificate ?? (() => undefined),
  };
}
