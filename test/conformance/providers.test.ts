// The same table of checks on OpenID Providers that nobody here wrote: one of them by http in `npm test`, all by http
// and https in the long lane.
import { afterAll } from "vitest";
import { isLongLane } from "../support/lane.ts";
import { Matrix } from "./matrix.ts";
import { betterAuth } from "./providers/better-auth.ts";
import { glewlwyd } from "./providers/glewlwyd.ts";
import { resourceServerChecks } from "./checks/resource-server.ts";
import { oidcProvider, oidcProviderWithJwts } from "./providers/oidc-provider.ts";
import { runChecks } from "./run-checks.ts";

const matrix = new Matrix();

afterAll(() => matrix.print());

const ofServers = { rows: resourceServerChecks };

if (isLongLane) {
  for (const provider of [oidcProvider, glewlwyd, betterAuth]) runChecks(provider, matrix);
  runChecks(oidcProviderWithJwts, matrix, ofServers);
} else {
  runChecks(oidcProvider, matrix, { schemes: ["http"] });
  runChecks(oidcProviderWithJwts, matrix, { ...ofServers, schemes: ["http"] });
}
