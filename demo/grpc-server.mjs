// Changes when the demo's gRPC server asks something else of a caller.
import { callbackify } from "node:util";
import { Client, Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { oidcService } from "latchkey/grpc";
import { createResourceServer } from "latchkey/server";

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
  const resourceServer = createResourceServer({ issuer, audience });
  const server = new Server();
  const told = { issuer, configured: true, clientId, audience, scopes: "openid profile" };
  server.addService(oidcService, { getOidcIssuer: callbackify(async () => told) });
  server.addService(greeter, {
    hello: callbackify(async (/** @type {{ metadata: Metadata }} */ { metadata }) => {
      const authorization = metadata.get("authorization").map(String);
      try {
        const { claims } = await resourceServer.verifyRequest({ authorization, url: path });
        return `Hello, ${String(claims["name"])}.`;
      } catch {
        throw Object.assign(new Error("sign in first"), { code: status.UNAUTHENTICATED });
      }
    }),
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
