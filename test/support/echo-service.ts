// A gRPC service for tests, in each of the four kinds of methods; its messages are text.
import { Client, Metadata, type MethodDefinition } from "@grpc/grpc-js";

const text = {
  requestSerialize: (value: string) => Buffer.from(value),
  requestDeserialize: (bytes: Buffer) => bytes.toString(),
  responseSerialize: (value: string) => Buffer.from(value),
  responseDeserialize: (bytes: Buffer) => bytes.toString(),
};
const method = (name: string, requestStream: boolean, responseStream: boolean) =>
  ({ path: `/test.Echo/${name}`, requestStream, responseStream, ...text }) as const;
/** The service. */
export const echo = {
  unary: method("Unary", false, false),
  up: method("Up", true, false),
  down: method("Down", false, true),
  both: method("Both", true, true),
} satisfies Record<string, MethodDefinition<string, string>>;

/** Its client. */
export class Echo extends Client {
  unary(message: string, options = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = echo.unary;
      this.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        new Metadata(),
        options,
        (error, value) => (error === null ? resolve(value ?? "") : reject(error)),
      );
    });
  }
}
