// A server's word about the provider that does not count. Changes with what decides about it.

import { admitServerConfig, type TrustCircumstances } from "../../src/trust/server-trust.ts";
import { createMemoryPins } from "../../src/trust/memory-pins.ts";
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
  issuer_untrusted: () => failureOf(admitServerConfig(said, nobodyThere())),
  server_config_changed: async () => {
    const circumstances = { ...nobodyThere(), callerClientId: "own-cli" };
    await admitServerConfig(said, circumstances);
    const other = { ...said, issuer: "https://login.example.org" };
    return failureOf(admitServerConfig(other, circumstances));
  },
};
