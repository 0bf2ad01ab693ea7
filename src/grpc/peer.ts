// `@grpc/grpc-js`, which whoever calls a gRPC server has installed: loaded when it is first needed.

import type * as grpcPackage from "@grpc/grpc-js";
import { isErrorOf, OidcError } from "../core/errors.ts";
import { loadPart } from "../core/load.ts";

export type GrpcModule = typeof grpcPackage;

/** @throws {OidcError} `runtime_unavailable`, reason `module_missing`, that says what to install. */
export async function loadGrpc(): Promise<GrpcModule> {
  try {
    return await loadPart(() => import("@grpc/grpc-js"));
  } catch (error) {
    if (!isErrorOf(error, "runtime_unavailable", "module_missing")) throw error;
    throw new OidcError(
      "runtime_unavailable",
      "Calls of a gRPC server need the package @grpc/grpc-js, which is not installed next to Latchkey.",
      { reason: "module_missing", remedy: "Run: npm install @grpc/grpc-js", cause: error },
    );
  }
}
