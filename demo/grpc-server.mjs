// Changes when the demo's gRPC server asks something else of a caller.
import { callbackify } from "node:util";
import { Client, Metadata, Server, ServerCredentials } from "@grpc/grpc-js";
import {
  createResourceServer,
  grpcInterceptor,
  grpcOidcService,
  identityOf,
} from "latchkey/server";

/** What tokens for it name: one provider's tokens for other servers are not good for it. */
const audience = "urn:latchkey-demo:greeter";
const path = "/demo.Greeter/Hello";

/** @param {string} value */
const toBytes = (value) => Buffer.from(value);
/** @param {Buffer} bytes */
const toText = (bytes) => bytes.toString();

const greeter = {
  hello: {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBytes,
    requestDeserialize: toText,
    responseSerialize: toBytes,
    responseDeserialize: toText,
  },
};

/**
 * Starts a gRPC server that greets whoever has a valid access token, and tells whoever asks where to get one.
 * @param {{ issuer: string, clientId: string }} provider
 * @returns {Promise<import("./grpc-server.d.mts").ProtectedGrpcServer>}
 */
export async function startGrpcServer({ issuer, clientId }) {
  const scopes = ["openid", "profile"];
  const resourceServer = createResourceServer({ issuer, audience, clientId, scopes });
  const server = new Server({ interceptors: [grpcInterceptor(resourceServer)] });
  const { service, implementation } = grpcOidcService(resourceServer);
  server.addService(service, implementation);
  server.addService(greeter, {
    hello: callbackify(async (call) => `Hello, ${String(identityOf(call).claims["name"])}.`),
  });
  const port = await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `grpc://127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

export class Greeter extends Client {
  hello() {
    return new Promise((resolve, reject) => {
      this.makeUnaryRequest(path, toBytes, toText, "hello", new Metadata(), (error, value) =>
        error === null ? resolve(value) : reject(error),
      );
    });
  }
}
