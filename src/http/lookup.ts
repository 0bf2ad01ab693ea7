// From a host name to its addresses, for every connection of Latchkey's own.

import type { LookupFunction } from "node:net";
import { isLocalhostName, localhostAddresses } from "../core/hosts.ts";
import { WireFailure } from "./wire-failure.ts";

/** A lookup that leaves out addresses. Where none is left it fails with a `WireFailure`. */
export function guardedLookUp(mayConnect: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookUp(hostname, options, (error, found, family) => {
      if (error !== null) {
        callback(error, found, family);
        return;
      }
      const addresses = typeof found === "string" ? [found] : found.map(({ address }) => address);
      const allowed = addresses.filter(mayConnect);
      if (allowed.length === 0) callback(new WireFailure("blocked_address"), "");
      else if (typeof found === "string") callback(null, found, family);
      else {
        const kept = found.filter(({ address }) => allowed.includes(address));
        callback(null, kept);
      }
    });
  };
}

/** The system's lookup, except that `localhost` and names below it are this machine whatever a resolver says. */
export const lookUp: LookupFunction = (hostname, options, callback) => {
  if (!isLocalhostName(hostname)) {
    process.getBuiltinModule("node:dns").lookup(hostname, options, callback);
    return;
  }
  const wanted = localhostAddresses.filter(
    ({ family }) =>
      !options.family || options.family === family || options.family === `IPv${family}`,
  );
  if (options.all === true) callback(null, [...wanted]);
  else callback(null, wanted[0]?.address ?? "", wanted[0]?.family);
};
