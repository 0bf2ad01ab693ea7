// A server's word about the provider that does not count, or that it does not give. Changes with what decides about it.

import { onTestFinished } from "vitest";
import { grpcConfigSource } from "../../src/grpc/get-oidc-issuer.ts";
import { admitServerConfig, type TrustCircumstances } from "../../src/trust/server-trust.ts";
import { createMemoryPins } from "../../src/trust/memory-pins.ts";
import { resourceConfigSource } from "../../src/server/protected-resource.ts";
import { reply, startHostileServer } from "../support/hostile-server.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { makeClient } from "../support/http-client.ts";
import { failureOf } from "../flow/harness.ts";
import type { Provocations } from "./provocation.ts";

const said = {
  issuer: "https://login.example.net",
  clientId: "graph-cli",
  scopes: ["openid"],
  audience: undefined,
  resource: undefined,
};

function nobodyThere(): TrustCircumstances {
  return {
    server: "https://data.example.com",
    host: "data.example.com",
    isVerified: true,
    policy: "first-use",
    callerIssuer: "",
    callerClientId: "",
    pins: createMemoryPins(),
    ask: undefined,
    signal: undefined,
  };
}

export const serverTrust: Provocations = {
  server_config_failed: async () => {
    const server = await startGrpcServer([]);
    onTestFinished(() => server.close());
    return failureOf(grpcConfigSource(server.address, makeClient()).ask(undefined));
  },
  resource_mismatch: async () => {
    const document = {
      resource: "https://other.example.com",
      authorization_servers: [said.issuer],
    };
    const server = await startHostileServer(reply(200, {}, JSON.stringify(document)));
    onTestFinished(() => server.close());
    const reading = { preferredIssuer: () => Promise.resolve(undefined) };
    return failureOf(resourceConfigSource(server.origin, makeClient(), reading).ask(undefined));
  },
  issuer_untrusted: () => failureOf(admitServerConfig(said, nobodyThere())),
  server_config_changed: async () => {
    const circumstances = { ...nobodyThere(), callerClientId: "own-cli" };
    await admitServerConfig(said, circumstances);
    const other = { ...said, issuer: "https://login.example.org" };
    return failureOf(admitServerConfig(other, circumstances));
  },
};
