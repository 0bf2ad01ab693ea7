// A server's word about the provider that does not count, or that it does not give. Changes with what decides about it.

import { onTestFinished } from "vitest";
import { grpcConfigSource } from "../../src/grpc/get-oidc-issuer.ts";
import { OidcAuth } from "../../src/index.ts";
import { readRegistration } from "../../src/provider/registration.ts";
import { resourceConfigSource } from "../../src/server/protected-resource.ts";
import { reply, startHostileServer } from "../support/hostile-server.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { makeClient } from "../support/http-client.ts";
import { emptyHome, failureOf } from "../flow/harness.ts";
import type { Provocations } from "./provocation.ts";

/** Signs in where a server of a program says; nobody is asked about it. */
function signInAt(address: string, issuer: string): Promise<unknown> {
  const getOidcIssuer = () => Promise.resolve({ issuer, clientId: "graph-cli" });
  const server = { address, getOidcIssuer };
  return new OidcAuth({ server, trustServer: "pinned", onPrompt: () => undefined }).getToken();
}

export const serverTrust: Provocations = {
  server_config_failed: async () => {
    const server = await startGrpcServer([]);
    onTestFinished(() => server.close());
    return failureOf(
      grpcConfigSource(server.address, makeClient({ timeoutSeconds: 10 })).ask(undefined),
    );
  },
  resource_mismatch: async () => {
    const document = {
      resource: "https://other.example.com",
      authorization_servers: ["https://login.example.net"],
    };
    const server = await startHostileServer(reply(200, {}, JSON.stringify(document)));
    onTestFinished(() => server.close());
    const reading = { preferredIssuer: () => Promise.resolve(undefined) };
    return failureOf(resourceConfigSource(server.origin, makeClient(), reading).ask(undefined));
  },
  registration_failed: async () => {
    const server = await startHostileServer(reply(403, {}, '{"error":"access_denied"}'));
    onTestFinished(() => server.close());
    const url = `${server.origin}/register`;
    const answer = makeClient().send({ method: "POST", url, step: "registration", json: {} });
    return failureOf(answer.then((given) => readRegistration(given, undefined)));
  },
  issuer_untrusted: () => {
    emptyHome();
    return failureOf(signInAt("https://data.example.com", "https://login.example.net"));
  },
  // Nothing listens there; what a server on this machine says first is remembered all the same.
  server_config_changed: async () => {
    emptyHome();
    const here = "https://127.0.0.1:9";
    await failureOf(signInAt(here, `${here}/one`));
    return failureOf(signInAt(here, `${here}/other`));
  },
};
