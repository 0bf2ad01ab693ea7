// Changes when the bench wants to know or steer something else at the provider: the test provider, in a process of its
// own, so that neither starting the clients nor counting them slows its answers. provider.mjs MODULE, over IPC.
import { pathToFileURL } from "node:url";

const [module = ""] = process.argv.slice(2);
const { startIdentityProvider } = await import(pathToFileURL(module).href);

/** msal-node listens at the root of `localhost`, on any port, and takes the answer by POST alone. */
const msalClient = {
  client_id: "msal-client",
  application_type: "native",
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  redirect_uris: ["http://localhost"],
};

const provider = await startIdentityProvider({ clients: [msalClient] });

let refusals = { invalidGrant: 0, otherRefusals: 0 };
let gate = Promise.resolve();
let openGate = () => {};

provider.tamper({
  path: "token",
  respond: async (_request, genuine) => {
    await gate;
    const answer = await genuine();
    if (answer.status !== 200) {
      const { error } = JSON.parse(answer.body);
      if (error === "invalid_grant") refusals.invalidGrant += 1;
      else refusals.otherRefusals += 1;
    }
    return answer;
  },
});

const methods = {
  /** For access tokens from now on. @param {number} seconds */
  lifetime: (seconds) => provider.setAccessTokenLifetime(seconds),
  reset: () => {
    provider.resetRequests();
    refusals = { invalidGrant: 0, otherRefusals: 0 };
  },
  counts: () => ({ ...provider.requests(), ...refusals }),
  /** Token requests wait from now on. */
  hold: () => {
    gate = new Promise((resolve) => {
      openGate = resolve;
    });
  },
  release: () => openGate(),
};

process.on("message", ({ id, method, parameter }) => {
  process.send({ id, result: methods[method](parameter) });
});
process.on("disconnect", () => process.exit());
process.send({
  issuer: provider.issuer,
  clientIds: { usual: provider.clients.public.clientId, msal: msalClient.client_id },
});
