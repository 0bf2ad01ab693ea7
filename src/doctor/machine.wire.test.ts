// Faults of this machine and of where sign-ins are kept, planted on purpose: each is found, and what to do is named.
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readProfile } from "../cli/profile.ts";
import { serverRows } from "../cli/server-table.ts";
import { unknownVariableWarnings } from "../cli/variables.ts";
import { systemClock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { openFiles, randomBytes } from "../credential/open-file-store.ts";
import { absenceOfPeople } from "../interaction/presence.ts";
import { createBrowserSearch } from "../interaction/browser.ts";
import { createProcessLock } from "../lock/protocol.ts";
import { resolveOptions } from "../options/resolve.ts";
import { systemKeychain } from "../store/keychain/keychain.ts";
import type { Scene } from "./check.ts";
import { machineChecks } from "./machine.ts";
import { storageChecks } from "./storage.ts";
import { lookFor, freePort, type Fault } from "./testing.ts";

function faultOf(run: () => unknown): OidcError {
  try {
    run();
  } catch (error) {
    if (error instanceof OidcError) return error;
    throw error;
  }
  throw new Error("no fault was planted");
}

/** A keychain of which the package says something. */
function keychainSaying(message: string): Scene["keychain"] {
  class AsyncEntry {
    getSecret(): Promise<never> {
      return Promise.reject(new Error(message));
    }
  }
  return systemKeychain(() => Promise.resolve({ AsyncEntry }));
}

const faults: readonly Fault[] = [
  [
    "an old Node",
    "versions",
    "failed",
    /needs Node 20\.19/,
    ({ changes }) => {
      Object.assign(changes, { nodeVersion: "18.20.4" });
    },
  ],
  [
    "an unknown key in a profile",
    "configuration",
    "failed",
    /Did you mean client-id\?/,
    ({ machine, changes }) => {
      machine.write(".config/latchkey/config.toml", '[profile.work]\nclinet-id = "x"\n');
      Object.assign(changes, { fault: faultOf(() => readProfile("work", machine)) });
    },
  ],
  [
    "a server's table that is none",
    "configuration",
    "failed",
    /Write it as in/,
    ({ changes }) => {
      const text = '[server."https://git.example.com/x"]\nprofile = "work"\n';
      Object.assign(changes, { servedHosts: () => [...serverRows(text, "config.toml").keys()] });
    },
  ],
  [
    "a misspelt variable",
    "configuration",
    "warning",
    /Did you mean LATCHKEY_ISSUER\?/,
    ({ changes }) => {
      Object.assign(changes, {
        unknownVariables: unknownVariableWarnings({ LATCHKEY_ISUER: "x" }),
      });
    },
  ],
  [
    "a job without a terminal",
    "terminal",
    "warning",
    /Sign in beforehand/,
    ({ changes }) => {
      const options = resolveOptions({}, "interactive");
      const absence = absenceOfPeople({
        environment: { CI: "true" },
        platform: "linux",
        isTerminal: () => false,
        options,
      });
      Object.assign(changes, { absence });
    },
  ],
  [
    "no browser",
    "browser",
    "warning",
    /browserCommand/,
    ({ changes }) => {
      Object.assign(changes, {
        whyNoBrowser: createBrowserSearch({
          environment: { SSH_TTY: "/dev/pts/0" },
          platform: "linux",
          logger: undefined,
        }),
      });
    },
  ],
  [
    "localhost elsewhere",
    "localhost",
    "failed",
    /203\.0\.113\.7.*\/etc\/hosts/,
    ({ changes }) => {
      Object.assign(changes, { addressesOf: () => Promise.resolve(["203.0.113.7"]) });
    },
  ],
  [
    "localhost unknown",
    "localhost",
    "warning",
    /127\.0\.0\.1 localhost/,
    ({ changes }) => {
      Object.assign(changes, { addressesOf: () => Promise.reject(new Error("ENOTFOUND")) });
    },
  ],
  [
    "a taken callback port",
    "callback-port",
    "failed",
    /Free it, or register and set another `callbackPort`/,
    async ({ given }) => {
      const { port, close } = await freePort();
      onTestFinished(close);
      given["callbackPort"] = port;
    },
  ],
  [
    "a cache that others can read",
    "cache",
    "failed",
    /chmod 700/,
    ({ machine }) => {
      const folder = join(machine.homeDirectory, ".local/state/latchkey");
      mkdirSync(folder, { recursive: true });
      chmodSync(folder, 0o755);
    },
  ],
  [
    "a full disk",
    "cache",
    "failed",
    /(?:full|No space|Free space|space)/i,
    async ({ machine, changes }) => {
      const folder = machine.write("disk/x", "").slice(0, -2);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=32k,mode=0700", "none", folder]);
      onTestFinished(() => void execFileSync("umount", [folder]));
      Object.assign(changes, {
        stateFolder: folder,
        store: openFiles({ folder, path: undefined, onWarning: () => undefined }),
      });
    },
  ],
  [
    "a squatted lock",
    "lock",
    "warning",
    /Somebody else on this machine.*file system that has sockets/,
    ({ machine, changes }) => {
      const folder = join(machine.homeDirectory, ".local/state/latchkey");
      Object.assign(changes, {
        openLock: (onWarning: Parameters<Scene["openLock"]>[0]) =>
          createProcessLock({
            folder,
            clock: systemClock,
            randomBytes,
            onWarning,
            endpoint: {
              take: () => Promise.resolve({ state: "stranger" }),
              reach: () => Promise.resolve({ state: "gone" }),
            },
          }),
      });
    },
  ],
  [
    "a locked keychain",
    "keychain",
    "failed",
    /Unlock it/,
    ({ given, changes }) => {
      given["storage"] = "keychain";
      Object.assign(changes, { keychain: keychainSaying("the collection is locked") });
    },
  ],
  [
    "no keychain service",
    "keychain",
    "failed",
    /gnome-keyring-daemon/,
    ({ given, changes }) => {
      given["storage"] = "keychain";
      Object.assign(changes, { keychain: keychainSaying("no D-Bus session") });
    },
  ],
  [
    "a keychain without its package",
    "keychain",
    "failed",
    /npm install/,
    ({ given }) => {
      given["storage"] = "keychain";
    },
  ],
];

// A disk of its own takes the rights of root.
const mayMount = process.getuid?.() === 0;
const plantable = faults.filter(([fault]) => mayMount || fault !== "a full disk");

test.each(plantable.map((fault) => ({ fault })))("$fault.0 is found", async ({ fault }) => {
  const [, , status, remedy] = fault;
  const said = expect.stringMatching(remedy) as unknown;
  expect(await lookFor(fault)).toEqual({ status, said });
});

test("every check has a fault that it finds", () => {
  const found = new Set(faults.map(([, name]) => name));
  expect(
    [...machineChecks, ...storageChecks]
      .filter(({ name }) => !found.has(name))
      .map(({ name }) => name),
  ).toEqual([]);
});
