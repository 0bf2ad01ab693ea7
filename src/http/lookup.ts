// From a host name to its addresses, for every connection of Latchkey's own.

import type { LookupFunction } from "node:net";
import { isLocalhostName, localhostAddresses } from "../core/hosts.ts";

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
