// examples/server-grpc.mjs: `@grpc/grpc-js`. The interceptor guards calls of every kind; the service tells clients that ask
// where to sign in, and needs no token itself.
import { Server, ServerCredentials } from "@grpc/grpc-js";
import {
  createResourceServer,
  grpcInterceptor,
  grpcOidcService,
  identityOf,
} from "latchkey/server";

const { ISSUER, AUDIENCE, PORT = "8080" } = process.env;
const resourceServer = createResourceServer({ issuer: ISSUER, audience: AUDIENCE });

/** What generators make of a service. */
const greeter = {
  hello: {
    path: "/example.Greeter/Hello",
    requestStream: false,
    responseStream: false,
    requestSerialize: (value) => Buffer.from(value),
    requestDeserialize: String,
    responseSerialize: (value) => Buffer.from(value),
    responseDeserialize: String,
  },
};

const server = new Server({ interceptors: [grpcInterceptor(resourceServer)] });
const { service, implementation } = grpcOidcService(resourceServer);
server.addService(service, implementation);
server.addService(greeter, {
  hello: (call, callback) => callback(null, `Hello, ${identityOf(call).username}.`),
});
server.bindAsync(`127.0.0.1:${PORT}`, ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`grpc://127.0.0.1:${port}`);
});
