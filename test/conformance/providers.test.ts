// The same table of checks on OpenID Providers that nobody here wrote. Changes when another one joins.
import { afterAll } from "vitest";
import { Matrix } from "./matrix.ts";
import { betterAuth } from "./providers/better-auth.ts";
import { glewlwyd } from "./providers/glewlwyd.ts";
import { oidcProvider } from "./providers/oidc-provider.ts";
import { runChecks } from "./run-checks.ts";

const matrix = new Matrix();

afterAll(() => matrix.print());

for (const provider of [oidcProvider, glewlwyd, betterAuth]) runChecks(provider, matrix);
