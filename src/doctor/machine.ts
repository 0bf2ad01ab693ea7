// Checks of this machine: versions, terminal, browser, the name localhost, the callback port.

import type { Server } from "node:http";
import { isOidcError } from "../core/errors.ts";
import { localhostAddresses } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";
import { planRedirect } from "../flow/redirect.ts";
import { bindFirstFree } from "../interaction/bind.ts";
import { failed, failure, ok, skipped, warning, type Check } from "./check.ts";

const maxSeconds = 10;
const minNode = [20, 19] as const;

function isOldNode(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < minNode[0] || (major === minNode[0] && minor < minNode[1]);
}

const versions: Check = {
  name: "versions",
  area: "machine",
  maxSeconds,
  about: "Latchkey's version, and whether this Node is new enough",
  run({ nodeVersion, version, machine }) {
    const which = `Latchkey ${version} on Node ${nodeVersion} (${machine.platform}).`;
    return isOldNode(nodeVersion)
      ? failed(which, `Latchkey needs Node ${minNode.join(".")} or later: install that.`)
      : ok(which);
  },
};

const configuration: Check = {
  name: "configuration",
  area: "machine",
  maxSeconds,
  about: "the configuration file, the profile, flags and variables",
  run({ fault, unknownVariables, options, servedHosts }) {
    if (fault !== undefined) return failure(fault);
    try {
      servedHosts();
    } catch (error) {
      if (!isOidcError(error)) throw error;
      return failure(error);
    }
    if (unknownVariables.length > 0) return warning(...unknownVariables);
    return options.issuer === "" && options.server === undefined
      ? ok(say`Nothing is wrong with it; it names no provider (${option("issuer")}).`)
      : ok("Nothing is wrong with it.");
  },
};

const terminal: Check = {
  name: "terminal",
  area: "machine",
  maxSeconds,
  about: "whether somebody can be asked here",
  run({ absence, hasTerminal }) {
    if (absence !== undefined) {
      return warning(
        `Nobody can be asked to sign in, because ${absence}.`,
        "Sign in beforehand, in a terminal as the same user; a job of its own signs in as a client (client_credentials).",
      );
    }
    return ok(hasTerminal ? "There is one." : "There is none; there is another way to ask.");
  },
};

const browser: Check = {
  name: "browser",
  area: "machine",
  maxSeconds,
  about: "whether a browser would be found",
  async run({ options, whyNoBrowser }) {
    if (!options.openBrowser) {
      return skipped(say`None is to be opened (${option("openBrowser", "false")}).`);
    }
    const problem = await whyNoBrowser(options.browserCommand);
    if (problem === undefined) return ok("One was found. It was not started.");
    const [port] = planRedirect(options).ports;
    return warning(
      `None was found: ${problem}.`,
      say`The sign-in shows an address to open elsewhere, and takes what that browser ends at; or forward ${port === 0 ? "a fixed port" : `port ${String(port)}`} (${option("callbackPort")}), set ${option("flow", "device")}, or name a browser (${option("browserCommand")}).`,
    );
  },
};

const localhost: Check = {
  name: "localhost",
  area: "machine",
  maxSeconds,
  about: "what the name localhost stands for here, where browsers may look it up",
  async run({ addressesOf }) {
    const expected = localhostAddresses.map(({ address }) => address);
    let found: readonly string[];
    try {
      found = await addressesOf("localhost");
    } catch {
      return warning(
        "The name localhost is not known here.",
        "Add it to /etc/hosts: 127.0.0.1 localhost. Until then use 127.0.0.1 in redirect URIs.",
      );
    }
    const foreign = found.filter((address) => !expected.includes(address));
    if (foreign.length === 0) return ok(`It stands for ${found.join(" and ")}.`);
    return failed(
      `It stands for ${foreign.join(", ")}: a browser would bring the code of a sign-in there.`,
      "Correct /etc/hosts (127.0.0.1 localhost) or the resolver.",
    );
  },
};

async function close(servers: readonly Server[]): Promise<void> {
  await Promise.all(servers.map((server) => new Promise((resolve) => void server.close(resolve))));
}

const callbackPort: Check = {
  name: "callback-port",
  area: "machine",
  maxSeconds,
  about: "whether the port that the browser comes back to can be opened",
  async run({ options }) {
    if (options.flow === "device") return skipped("The device flow needs none.");
    const plan = planRedirect(options);
    const { createServer } = process.getBuiltinModule("node:http");
    const { servers, port } = await bindFirstFree(() => createServer(), plan.host, plan.ports);
    await close(servers);
    return ok(
      plan.ports.includes(0)
        ? `A free port of ${plan.host} can be opened.`
        : `Port ${String(port)} of ${plan.host} is free.`,
    );
  },
};

/** This machine. */
export const machineChecks: readonly Check[] = [
  versions,
  configuration,
  terminal,
  browser,
  localhost,
  callbackPort,
];
