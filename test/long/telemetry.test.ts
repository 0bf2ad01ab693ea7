// What a server tells OpenTelemetry, through its real SDK. Changes when the example does.

import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { ResourceServerOptions } from "../../src/server.ts";
import { npmPackages } from "../support/installed-once.ts";
import { acceptedToken, mountedServer } from "../support/mounted-server.ts";
import { signingKey, startTokenIssuer } from "../support/token-issuer.ts";

const packages = ["@opentelemetry/api@1.10.0", "@opentelemetry/sdk-metrics@3.1.1"];
const audience = "https://api.example.com";

/** What of the SDK is used here. */
interface Metrics {
  readonly MeterProvider: new (options: object) => { getMeter: (name: string) => unknown };
  readonly MetricReader: new () => {
    collect(): Promise<{
      resourceMetrics: {
        scopeMetrics: readonly {
          metrics: readonly {
            descriptor: { name: string };
            dataPoints: readonly { attributes: Record<string, unknown>; value: unknown }[];
          }[];
        }[];
      };
    }>;
  };
}

test("server-telemetry.mjs: OpenTelemetry has what was judged, why, and how long keys took", async () => {
  const modules = await npmPackages("opentelemetry-1.10.0-3.1.1", packages);
  const require = createRequire(join(modules, "here.js"));
  const { MeterProvider, MetricReader } = require("@opentelemetry/sdk-metrics") as Metrics;
  class Reader extends MetricReader {
    async onForceFlush(): Promise<void> {}
    async onShutdown(): Promise<void> {}
  }
  const reader = new Reader();
  const meter = new MeterProvider({ readers: [reader] }).getMeter("api");
  const example = new URL("../../examples/server-telemetry.mjs", import.meta.url).href;
  const { telemetry } = (await import(example)) as {
    telemetry: (meter: unknown) => NonNullable<ResourceServerOptions["onEvent"]>;
  };

  const key = signingKey("one");
  const issuer = await startTokenIssuer(key.jwk);
  onTestFinished(() => issuer.close());
  const server = mountedServer(issuer, audience, { onEvent: telemetry(meter) });
  const token = acceptedToken(key, issuer, audience);
  await server.verify(token);
  await server.verify(token);
  await server.verify(`${token}x`).catch(() => undefined);
  await server.verify(acceptedToken(key, issuer, audience, { exp: 1 })).catch(() => undefined);

  const { resourceMetrics } = await reader.collect();
  const metrics = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
  const pointsOf = (name: string) =>
    metrics.find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  expect(
    pointsOf("access_tokens").map(({ attributes, value }) => [
      attributes["type"],
      attributes["reason"],
      value,
    ]),
  ).toEqual([
    ["verified", undefined, 2],
    ["refused", "malformed", 1],
    ["refused", "time", 1],
  ]);
  expect(pointsOf("provider_requests")).toMatchObject([
    { attributes: { type: "keys", issuer: issuer.issuer }, value: { count: 1 } },
  ]);
  expect(JSON.stringify(resourceMetrics)).not.toMatch(/alice|eyJ/);
});
