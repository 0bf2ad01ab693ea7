// examples/server-telemetry.mjs: counts and times as OpenTelemetry takes them: `onEvent: telemetry(metrics.getMeter("api"))`,
// with `metrics` of `@opentelemetry/api`. Events hold no token, and nobody's name.
export function telemetry(meter) {
  const judged = meter.createCounter("access_tokens", { description: "tokens that were judged" });
  const waited = meter.createHistogram("provider_requests", { unit: "ms" });
  return ({ type, issuer, code, reason, mode, outcome, milliseconds }) => {
    if (type === "verified") judged.add(1, { type, issuer });
    if (type === "refused") judged.add(1, { type, code, reason });
    if (milliseconds !== undefined) waited.record(milliseconds, { type, issuer, mode, outcome });
  };
}
