// Checks of the way to the provider: connection, proxy, certificate, clock. All of them look at one request.

import type { OidcError } from "../core/errors.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { clockToleranceSeconds } from "../core/limits.ts";
import { counted } from "../core/words.ts";
import { option, say } from "../core/wording.ts";
import { proxyFor } from "../http/proxy.ts";
import { failed, failure, notReached, ok, skipped, type Check, type Scene } from "./check.ts";

const maxSeconds = 20;
const noProvider = skipped("No provider is named.");

/** The address that the provider is looked for at. */
function issuerOf({ options }: Scene): URL | undefined {
  return URL.parse(options.issuer) ?? undefined;
}

function isAboutProxy(error: OidcError): boolean {
  return (error.reason ?? "").startsWith("proxy_") || /through the proxy/.test(error.message);
}

const network: Check = {
  name: "network",
  area: "provider",
  maxSeconds,
  about: "whether the provider's host can be reached from here",
  async run(scene) {
    const reached = await scene.reach();
    if (reached === undefined) return noProvider;
    const host = hostAndPort(scene.options.issuer);
    if ("head" in reached) return ok(`${host} answers (status ${String(reached.head.status)}).`);
    const { error } = reached;
    if (isAboutProxy(error)) return skipped("The proxy is in the way, see there.");
    // A certificate is shown by a host that was reached.
    if (error.code === "tls") return ok(`${host} answers.`);
    return failure(error);
  },
};

const proxy: Check = {
  name: "proxy",
  area: "provider",
  maxSeconds,
  about: "the proxy that the environment names for the provider, its authentication, and NO_PROXY",
  async run(scene) {
    const issuer = issuerOf(scene);
    if (issuer === undefined) return noProvider;
    const { environment } = scene.machine;
    const chosen = proxyFor(issuer, environment);
    if (chosen === undefined) {
      const isSet = ["HTTPS_PROXY", "https_proxy"].some((name) => Boolean(environment[name]));
      if (!isSet) return ok("None is set (HTTPS_PROXY).");
      return ok(
        isLoopbackHost(issuer.hostname)
          ? "This machine is never asked through one."
          : `${hostAndPort(issuer)} is exempt from it (NO_PROXY).`,
      );
    }
    const reached = await scene.reach();
    if (reached === undefined) return noProvider;
    if ("head" in reached) return ok(`${hostAndPort(issuer)} is reached through ${chosen.host}.`);
    return isAboutProxy(reached.error) ? failure(reached.error) : ok(`${chosen.host} leads on.`);
  },
};

const certificate: Check = {
  name: "tls",
  area: "provider",
  maxSeconds,
  about: "the certificate of the provider's host: trusted, complete, for this host, in its time",
  async run(scene) {
    const issuer = issuerOf(scene);
    if (issuer === undefined) return noProvider;
    const reached = await scene.reach();
    if (reached === undefined) return noProvider;
    if (issuer.protocol !== "https:") return skipped("An http: address has no certificate.");
    if ("head" in reached) return ok(`The certificate of ${hostAndPort(issuer)} is trusted here.`);
    const { error } = reached;
    if (error.code === "ca_bundle_invalid") return failure(error);
    if (error.code !== "tls" || isAboutProxy(error)) return notReached;
    return error.reason === "unknown_issuer"
      ? failure(
          error,
          "Where other programs trust it, the host may leave out an intermediate certificate: whoever runs it has to send the whole chain.",
        )
      : failure(error);
  },
};

const clock: Check = {
  name: "clock",
  area: "provider",
  maxSeconds,
  about: "this machine's clock, against the time that the provider's answer names",
  async run(scene) {
    const reached = await scene.reach();
    if (reached === undefined) return noProvider;
    if (!("head" in reached)) return notReached;
    const there = Date.parse(reached.head.headers["date"] ?? "");
    if (Number.isNaN(there)) return skipped("The provider's answer names no time.");
    const seconds = Math.round((scene.now() - there) / 1000);
    const difference = counted(Math.abs(seconds), "second");
    if (Math.abs(seconds) <= clockToleranceSeconds) {
      return ok(`It differs from the provider's by ${difference}.`);
    }
    return failed(
      `It is ${difference} ${seconds > 0 ? "ahead of" : "behind"} the provider's, and ${String(clockToleranceSeconds)} are tolerated: tokens would count as expired, or as not yet valid.`,
      "Set this machine's clock (timedatectl set-ntp true), or ask whoever runs the provider.",
    );
  },
};

const server: Check = {
  name: "server",
  area: "provider",
  maxSeconds,
  about: "what the server of the option says of its provider",
  async run(scene) {
    const answer = await scene.readServer();
    if (answer === undefined) return skipped("No server is named.");
    return ok(say`It names a provider, ${hostAndPort(answer.issuer)} (${option("issuer")}).`);
  },
};

/** The way to the provider. */
export const networkChecks: readonly Check[] = [server, network, proxy, certificate, clock];
