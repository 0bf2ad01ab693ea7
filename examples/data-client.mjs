// examples/data-client.mjs: a client of a gRPC service, whose users give a server's address and nothing else.
//
// ADDRESS: the server's. CA_CERT_PATH: roots that it is trusted by in addition to Node's. XGT=1: exchanges the token for a
// session, as servers of Rocketgraph xGT want it.
import { Client, Metadata } from "@grpc/grpc-js";
import { OidcAuth } from "latchkey";
import * as grpc from "latchkey/grpc";
import * as xgt from "latchkey/xgt";

/** What generators make of a service. */
class Greeter extends Client {
  hello() {
    return new Promise((resolve, reject) => {
      const serialize = (value) => Buffer.from(value);
      const deserialize = (bytes) => `${bytes}`;
      const done = (error, value) => (error ? reject(error) : resolve(value));
      const path = "/example.Greeter/Hello";
      this.makeUnaryRequest(path, serialize, deserialize, "hello", new Metadata(), done);
    });
  }
}

const { ADDRESS = "", CA_CERT_PATH, XGT, CALLBACK_PORT = "8765" } = process.env;
const { connect } = XGT === "1" ? xgt : grpc;
const auth = new OidcAuth({ caCertPath: CA_CERT_PATH, callbackPort: Number(CALLBACK_PORT) });

const connection = await connect(ADDRESS, { auth });
try {
  console.log(await connection.client(Greeter).hello());
} catch (error) {
  console.error(error.details);
  process.exitCode = 1;
} finally {
  await connection.close();
}
