// The system's keychain, as far as one small secret is concerned. Changes when the package that reaches it does.

import { isErrorOf, OidcError } from "../../core/errors.ts";
import { loadPart } from "../../core/load.ts";
import { forgetSignIn, option, run, say, sentences, type Wording } from "../../core/wording.ts";

/** One secret in the system's keychain. */
export interface Keychain {
  /** The secret; undefined where there is none. May ask the person to unlock the keychain. @throws {OidcError} `keychain_unavailable`. */
  read(maxSeconds: number): Promise<Uint8Array | undefined>;
  /** Puts it there, in the place of another. @throws {OidcError} `keychain_unavailable`. */
  write(secret: Uint8Array, maxSeconds: number): Promise<void>;
}

/** What `@napi-rs/keyring` gives, as far as it is used. */
interface Entry {
  getSecret(): Promise<ArrayLike<number> | null | undefined>;
  setSecret(secret: Uint8Array): Promise<unknown>;
}
type MakeEntry = new (service: string, name: string, options: object) => Entry;

/** Loads a package by its name, from where this one is installed. */
export type LoadPackage = (name: string) => Promise<unknown>;

const packageName = "@napi-rs/keyring";
const service = "latchkey";
const name = "sign-ins";
// Without it the package takes the kernel's keyring where there is no Secret Service, and that forgets at a restart.
const entryOptions = { linux: { store: "secret-service" } };

type KeychainReason = "package_missing" | "no_service" | "locked" | "failed";

const otherwise: Wording = say`To do without it, forget what is sealed (${forgetSignIn}) and set ${option("storage", "file")}.`;

const reasons: Readonly<Record<KeychainReason, readonly [what: string, remedy: Wording]>> = {
  package_missing: [
    `the package ${packageName} is not installed, or has no part for this system`,
    say`Install it: ${run(`npm install ${packageName}`)}.`,
  ],
  no_service: [
    "none runs here",
    say`On Linux start one in your session, for example with ${run("gnome-keyring-daemon --unlock")} or KWallet.`,
  ],
  locked: [
    "it is locked, or there is none in it yet, and nobody unlocked it",
    say`Unlock it: sign in to the desktop, open its keychain program, or type ${run("gnome-keyring-daemon --unlock")}.`,
  ],
  failed: ["it refused", say`Its own error is the cause of this one.`],
};

/** The error of a keychain that cannot be used. */
export function keychainUnavailable(reason: KeychainReason, cause?: unknown): OidcError {
  const [what, remedy] = reasons[reason];
  return new OidcError(
    "keychain_unavailable",
    `The keychain of this system cannot be used: ${what}.`,
    { reason, remedy: sentences(remedy, otherwise), cause },
  );
}

/** What the package says of a failure, in words that differ by system. */
function reasonOf(error: unknown): KeychainReason {
  const message = error instanceof Error ? error.message : "";
  if (/D-?Bus|no .*provided|Platform failure/i.test(message)) return "no_service";
  return /dismissed|locked|no result found|interaction|No ?StorageAccess|access platform storage/i.test(
    message,
  )
    ? "locked"
    : "failed";
}

/** The package waits two seconds for an answer, which is short where fifty programs ask at once. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && /did not receive a reply/i.test(error.message);
}

const pauseMilliseconds = 100;

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, pauseMilliseconds));
}

async function within<Value>(work: () => Promise<Value>, seconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(keychainUnavailable("locked"));
    }, seconds * 1000);
  });
  const persist = async (): Promise<Value> => {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (isOver || !isBusy(error)) throw error;
        await pause();
      }
    }
  };
  try {
    return await Promise.race([persist(), late]);
  } catch (error) {
    if (error instanceof OidcError) throw error;
    throw keychainUnavailable(reasonOf(error), error);
  } finally {
    clearTimeout(timer);
  }
}

/** The keychain of this system. The package is loaded when it is first used. */
export function systemKeychain(
  load: LoadPackage = (wanted) => loadPart(() => import(wanted)),
): Keychain {
  const entry = async (): Promise<Entry> => {
    let loaded: unknown;
    try {
      loaded = await load(packageName);
    } catch (error) {
      // Its part for this system is a package of its own, which may be missing in other ways (musl, another processor).
      if (isErrorOf(error, "runtime_unavailable", "too_many_open_files")) throw error;
      throw keychainUnavailable("package_missing", error);
    }
    const { AsyncEntry, default: whole } = loaded as Readonly<Record<string, unknown>>;
    const Made = (AsyncEntry ??
      (whole as Readonly<Record<string, unknown>>)["AsyncEntry"]) as MakeEntry;
    try {
      return new Made(service, name, entryOptions);
    } catch (error) {
      throw keychainUnavailable(reasonOf(error), error);
    }
  };
  return {
    async read(maxSeconds) {
      const asked = await entry();
      const secret = await within(() => asked.getSecret(), maxSeconds);
      return secret === null || secret === undefined ? undefined : Uint8Array.from(secret);
    },
    async write(secret, maxSeconds) {
      const asked = await entry();
      await within(() => asked.setSecret(secret), maxSeconds);
    },
  };
}
