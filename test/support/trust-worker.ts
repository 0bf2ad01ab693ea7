// A program that lets servers' words count: `worker.mjs WORK FOLDER NAME COUNT`. Bundled by `bundleModule`. Changes when
// tests of pins in several processes need another thing of it.

import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/core/clock.ts";
import { isOidcError } from "../../src/core/errors.ts";
import { createProcessLock } from "../../src/lock/protocol.ts";
import { createFilePins } from "../../src/trust/file-pins.ts";
import { admitServerConfig, type TrustAsk } from "../../src/trust/server-trust.ts";

const [work = "", folder = "", name = "", count = "1"] = process.argv.slice(2);
const pins = createFilePins({
  folder,
  lock: createProcessLock({ folder, clock: systemClock, randomBytes }),
  clock: systemClock,
  randomBytes,
  maxAnswerSeconds: 30,
});

function admit(server: string, callerClientId: string, ask: TrustAsk | undefined) {
  return admitServerConfig(
    {
      issuer: "https://login.example.net",
      clientId: "graph-cli",
      scopes: ["openid"],
      audience: undefined,
      resource: undefined,
    },
    {
      server,
      host: "data.example.com",
      isVerified: true,
      policy: "first-use",
      callerIssuer: "",
      callerClientId,
      pins,
      ask,
      signal: undefined,
      warn: (code) => process.stdout.write(`warned: ${code}\n`),
    },
  );
}

/** A person who thinks for a moment: others come meanwhile. */
const person: TrustAsk = async () => {
  process.stdout.write("asked\n");
  await systemClock.sleep(200);
  return true;
};

try {
  if (work === "pin") {
    for (let done = 0; done < Number(count); done += 1) {
      await admit(`https://${name}-${String(done)}.example.com`, "own", undefined);
    }
  }
  if (work === "ask") {
    const { acceptedBy } = await admit("https://data.example.com", "", person);
    process.stdout.write(`${acceptedBy}\n`);
  }
  if (work === "silent") {
    const { acceptedBy } = await admit("https://data.example.com", "own", undefined);
    process.stdout.write(`${acceptedBy}\n`);
  }
} catch (error) {
  if (!isOidcError(error)) throw error;
  const cause = isOidcError(error.cause) ? error.cause.code : "";
  process.stdout.write(`${error.code} ${error.reason ?? ""} ${cause}\n`);
}
