// examples/data-server.mjs: a gRPC service that takes tokens, and says itself where they come from. Whoever knows its address
// can sign in: with `connect` of latchkey/grpc, or as clients of Rocketgraph xGT do, which exchange a token for a session.
//
// ISSUER, CLIENT_ID (and AUDIENCE, SCOPES): what it says. TLS_CERTIFICATE, TLS_KEY: PEM files; plain text without. PORT.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { callbackify } from "node:util";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { createResourceServer, grpcOidcService } from "latchkey/server";
import { adminService } from "latchkey/xgt";

const { ISSUER = "", CLIENT_ID = "", AUDIENCE = "", SCOPES = "", PORT = "0" } = process.env;
const { TLS_CERTIFICATE, TLS_KEY } = process.env;

const refused = Object.assign(new Error("sign in first"), { code: status.UNAUTHENTICATED });

const resourceServer = createResourceServer({
  issuer: ISSUER,
  clientId: CLIENT_ID,
  scopes: SCOPES.split(" ").filter((scope) => scope !== ""),
  // Without an audience of its own it takes every token of the provider, which is asked about those that are no JWTs.
  ...(AUDIENCE === ""
    ? { allowUnboundAudience: true, validationMode: ["jwt", "userinfo"] }
    : { audience: AUDIENCE }),
});

/** Whose token it is; undefined for one that does not count. */
const subjectOf = (token) =>
  resourceServer.verify(token).then(
    ({ subject }) => subject,
    () => undefined,
  );

/** Whom each session belongs to. */
const sessions = new Map();

async function callerOf({ metadata }) {
  const [session] = metadata.get("session_token");
  if (session) return sessions.get(session);
  const [, token] = /^Bearer (\S+)$/.exec(metadata.get("authorization")[0]) ?? [];
  return token === undefined ? undefined : subjectOf(token);
}

/** Answers a unary call with what `handle` gives; an error's `code` is the call's status. */
const answering = (handle) => callbackify(async (call) => handle(call));

const server = new Server();
const { service, implementation } = grpcOidcService(resourceServer);
server.addService(service, implementation);
// Which provider it is has been answered by the service before.
const { getOidcIssuer: _answered, ...sessionCalls } = adminService;
server.addService(sessionCalls, {
  protocolVersion: answering(({ request }) => request),
  tokenAuthenticate: answering(async ({ request: { accessToken, protocolVersion } }) => {
    const userid = await subjectOf(accessToken);
    if (userid === undefined) throw refused;
    const sessionToken = randomUUID();
    sessions.set(sessionToken, userid);
    return { sessionToken, userid, protocolVersion };
  }),
  keepAliveSession: answering(async (call) => {
    if ((await callerOf(call)) === undefined) throw refused;
    return {};
  }),
  closeSession: answering(({ metadata }) => {
    sessions.delete(metadata.get("session_token")[0]);
    return {};
  }),
});

const text = { serialize: (value) => Buffer.from(value), deserialize: (bytes) => `${bytes}` };
const greeter = {
  hello: {
    path: "/example.Greeter/Hello",
    requestStream: false,
    responseStream: false,
    requestSerialize: text.serialize,
    requestDeserialize: text.deserialize,
    responseSerialize: text.serialize,
    responseDeserialize: text.deserialize,
  },
};
server.addService(greeter, {
  hello: answering(async (call) => {
    const caller = await callerOf(call);
    if (caller === undefined) throw refused;
    return `Hello, ${caller}.`;
  }),
});

const isSecure = TLS_CERTIFICATE !== undefined && TLS_KEY !== undefined;
const credentials = isSecure
  ? ServerCredentials.createSsl(null, [
      { cert_chain: readFileSync(TLS_CERTIFICATE), private_key: readFileSync(TLS_KEY) },
    ])
  : ServerCredentials.createInsecure();
server.bindAsync(`127.0.0.1:${PORT}`, credentials, (error, port) => {
  if (error) throw error;
  console.log(`${isSecure ? "grpcs" : "grpc"}://127.0.0.1:${port}`);
});
