// Checks of where sign-ins are kept: the folder and its disk, the lock across programs, the keychain.

import { join } from "node:path";
import { isErrorOf, isOidcError, wordingOf } from "../core/errors.ts";
import { option, say, type Wording } from "../core/wording.ts";
import { removePrivateFile, writeFileAtomically } from "../files/atomic-write.ts";
import { failure, ok, skipped, warning, type Check, type Scene } from "./check.ts";

const maxSeconds = 10;
const maxKeychainSeconds = 3;
// More than a record, so that a disk with a few bytes left is found.
const probeBytes = 64 * 1024;

async function tryWriting(folder: string, randomBytes: Scene["randomBytes"]): Promise<void> {
  const path = join(folder, `doctor-${Buffer.from(randomBytes(8)).toString("hex")}`);
  try {
    await writeFileAtomically(path, new Uint8Array(probeBytes), { exclusive: true });
  } finally {
    await removePrivateFile(path, { exclusive: true });
  }
}

const cache: Check = {
  name: "cache",
  area: "machine",
  maxSeconds,
  about: "the folder of the sign-ins: who may read it, and whether it can be written",
  async run({ store, stateFolder, randomBytes }) {
    const count = (await store.list()).length;
    if (stateFolder === undefined) return skipped("No home folder is known.");
    await tryWriting(stateFolder, randomBytes);
    return ok(
      `${stateFolder} is this user's alone and can be written (records: ${String(count)}).`,
    );
  },
};

const lock: Check = {
  name: "lock",
  area: "machine",
  maxSeconds,
  about:
    "whether programs of this user can wait for each other, and whether a stranger has the lock's name",
  async run({ openLock, signal, stateFolder }) {
    if (stateFolder === undefined) return skipped("No home folder is known.");
    const told: (string | Wording)[] = [];
    const opened = openLock((_code, said) => void told.push(said));
    const held = await opened.acquire("doctor", {
      signal,
      longestWorkSeconds: () => 1,
      waitForLogin: false,
      onWaiting: () => undefined,
    });
    if (!held.held) return ok("Another doctor has it now.");
    await held.abandon();
    if (told.length > 0) return warning(...told);
    return held.acrossProcesses
      ? ok("Programs wait for each other.")
      : warning(
          "Programs do not wait for each other here, so that two may renew or sign in at once.",
          say`Keep the sign-ins on a local file system (${option("cachePath")}, XDG_STATE_HOME).`,
        );
  },
};

const keychain: Check = {
  name: "keychain",
  area: "machine",
  maxSeconds,
  about: "whether the system's keychain can be reached, and is unlocked",
  async run({ keychain: system, options }) {
    if (options.storage === "file") {
      return skipped(say`It is not used (${option("storage", "file")}).`);
    }
    try {
      const key = await system.read(maxKeychainSeconds);
      return ok(
        key === undefined
          ? "It can be reached; no key of ours is in it."
          : "It can be reached, and our key is in it.",
      );
    } catch (error) {
      if (!isOidcError(error)) throw error;
      if (options.storage === "keychain") return failure(error);
      if (isErrorOf(error, "keychain_unavailable", "package_missing")) {
        return skipped("It is not used: the package that reaches it is not installed.");
      }
      return warning(wordingOf(error), "Until then sign-ins are kept in files of mode 0600.");
    }
  },
};

/** Where sign-ins are kept. */
export const storageChecks: readonly Check[] = [cache, lock, keychain];
