// Opening an address in a person's browser: which program, and whether it started. Changes when an operating system
// opens addresses in another way.

import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { accessSync, constants, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, posix, win32 } from "node:path";
import { systemClock } from "../core/clock.ts";
import type { Clock } from "../core/clock.ts";
import { emit } from "../core/events.ts";
import type { Logger } from "../core/events.ts";
import { isLoopbackHost } from "../core/hosts.ts";
import { maxUrlCharacters } from "../core/limits.ts";
import type { BrowserLauncher, BrowserResult, BrowserSearch } from "../core/world.ts";
import { splitCommand } from "./command-words.ts";

/** What the launcher needs of the operating system; the real one unless a test plays another. */
export interface BrowserSystem {
  spawn(file: string, words: readonly string[], options: SpawnOptions): ChildProcess;
  /** Whether a file can be run. */
  isExecutable(path: string): boolean;
  exists(path: string): boolean;
  /** The file that a link leads to; the path itself where there is none. */
  realPath(path: string): string;
  /** A small text file, or "" where there is none. */
  readText(path: string): string;
}

/** What {@link createBrowserLauncher} takes. */
export interface BrowserLauncherOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly logger: Logger | undefined;
  readonly clock?: Clock;
  readonly system?: BrowserSystem;
}

interface Opener {
  readonly file: string;
  /** Words before the address, or around it where one holds `%s`. */
  readonly words: readonly string[];
}

/** What came of it, and the program's file for the log. */
type Launch = BrowserResult & { readonly file?: string };

/** An opener that has not failed by then counts: many stay as long as the browser does (B07). */
const failureMilliseconds = 1000;

// Never the working directory or PATH: a program called xdg-open in a cloned repository is nobody's browser (B05).
const trustedFolders = [
  "/usr/bin",
  "/usr/local/bin",
  "/bin",
  "/run/current-system/sw/bin",
] as const;

const desktopOpeners = [["xdg-open"], ["gio", "open"], ["x-www-browser"]] as const;

const noOpener = "xdg-open not found";

// They need the terminal that Latchkey is at, and no provider's page works in them.
const textBrowser = /^(?:www-browser|w3m|lynx|links2?|elinks|edbrowse)(?:\.\w+)?$/iu;

const realSystem: BrowserSystem = {
  spawn: (file, words, options) => spawn(file, words, options),
  isExecutable(path) {
    try {
      accessSync(path, constants.X_OK);
      return statSync(path).isFile();
    } catch {
      return false;
    }
  },
  exists(path) {
    try {
      accessSync(path);
      return true;
    } catch {
      return false;
    }
  },
  realPath(path) {
    try {
      return realpathSync(path);
    } catch {
      return path;
    }
  },
  readText(path) {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  },
};

/**
 * The address as it may be given to another program: absolute, re-serialised (so it cannot begin with `-` or hold a
 * space, quote or control character that matters), `https`, or `http` on loopback. Undefined: not to be opened (B03).
 */
export function browserSafeUrl(url: string): string | undefined {
  if (url.length > maxUrlCharacters || !URL.canParse(url)) return undefined;
  const parsed = new URL(url);
  if (parsed.username !== "" || parsed.password !== "") return undefined;
  const isAllowed =
    parsed.protocol === "https:" ||
    (parsed.protocol === "http:" && isLoopbackHost(parsed.hostname));
  if (!isAllowed) return undefined;
  // The serialiser leaves a few characters that shells and desktop files read otherwise; nothing on the way may.
  const address = parsed.href.replace(
    /['`|^{}\\$()]/gu,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return address.length > maxUrlCharacters ? undefined : address;
}

/** The environment of a browser: without our own settings and secrets, and without what changes a Node program (B11). */
function childEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  platform: NodeJS.Platform,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    const upper = name.toUpperCase();
    if (value === undefined || upper.startsWith("LATCHKEY_") || upper === "NODE_OPTIONS") continue;
    // xdg-open looks for browsers in PATH; it must not find one in the working directory either.
    result[name] =
      upper === "PATH"
        ? absolutePath(value, platform).join((platform === "win32" ? win32 : posix).delimiter)
        : value;
  }
  return result;
}

function absolutePath(path: string, platform: NodeJS.Platform): string[] {
  const rules = platform === "win32" ? win32 : posix;
  return path.split(rules.delimiter).filter((folder) => rules.isAbsolute(folder));
}

/** Starts browsers. It uses no shell, and the address is one argument. */
class Launcher {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #platform: NodeJS.Platform;
  readonly #clock: Clock;
  readonly #system: BrowserSystem;

  constructor(options: BrowserLauncherOptions) {
    this.#environment = options.environment;
    this.#platform = options.platform;
    this.#clock = options.clock ?? systemClock;
    this.#system = options.system ?? realSystem;
  }

  async open(
    url: string,
    command: string | undefined,
    hasCome: () => boolean = () => false,
  ): Promise<Launch> {
    const address = browserSafeUrl(url);
    if (address === undefined) {
      return { opened: false, problem: "the address is neither https nor http on this machine" };
    }
    const found = this.#search(command);
    let { problem } = found;
    for (const opener of found.openers) {
      // One after the other: only one of them may open a tab.
      const result = await this.#start(opener, address);
      if (result.opened || hasCome()) return { opened: true, file: opener.file };
      problem ??= result.problem;
      if (opener === found.last) return result;
    }
    return { opened: false, problem: this.#worstOf(problem, found.missing) };
  }

  /** Why nothing could be opened here; undefined where something might. */
  whyNone(command: string | undefined): string | undefined {
    const { openers, problem, missing } = this.#search(command);
    return openers.length > 0 ? undefined : this.#worstOf(problem, missing);
  }

  // What the person chose comes first: a BROWSER that is not there is theirs to correct. A missing display counts too.
  #worstOf(chosen: string | undefined, missing: string | undefined): string {
    const reasons = missing === noOpener && chosen !== undefined ? [chosen] : [chosen, missing];
    return reasons.filter((reason) => reason !== undefined).join("; ") || noOpener;
  }

  /**
   * What may be tried, in order: what the person chose, and the system's own way at last. `problem` is the first of what
   * the person chose, `missing` that of the system.
   */
  #search(command: string | undefined): {
    readonly openers: readonly Opener[];
    readonly problem: string | undefined;
    readonly last?: Opener;
    readonly missing?: string;
  } {
    const chosen =
      command === undefined
        ? this.#alternatives().map((each) => this.#named(each, "$BROWSER"))
        : [this.#named(command, "browserCommand")];
    const openers = chosen.filter((each) => typeof each !== "string");
    const problem = chosen.find((each) => typeof each === "string");
    if (command !== undefined) return { openers, problem };
    const own = this.#systemOpener();
    return typeof own === "string"
      ? { openers, problem, missing: own }
      : { openers: [...openers, own], problem, last: own };
  }

  // The convention is a list separated by colons. Windows has colons in its paths: one command there.
  #alternatives(): string[] {
    const browser = this.#environment["BROWSER"] ?? "";
    const alternatives = this.#platform === "win32" ? [browser] : browser.split(":");
    return alternatives.filter((alternative) => alternative.trim() !== "");
  }

  /** A command of the person's, or a few words why it opens nothing. */
  #named(command: string, source: string): Opener | string {
    const [name, ...words] = splitCommand(command) ?? [];
    if (name === undefined) return `${source} is empty or has an unclosed quote`;
    const file = this.#find(name);
    if (file === undefined) return `${basename(name)} not found`;
    const isText = [file, this.#system.realPath(file)].some((each) =>
      textBrowser.test(basename(each)),
    );
    return isText ? `${basename(name)} is a text browser` : { file, words };
  }

  /** A program that the person named: an absolute path, or a name in the absolute folders of PATH. */
  #find(name: string): string | undefined {
    const onWindows = this.#platform === "win32";
    const rules = onWindows ? win32 : posix;
    const candidates = rules.isAbsolute(name)
      ? [name]
      : /[/\\]/u.test(name)
        ? []
        : absolutePath(this.#variable("PATH"), this.#platform).map((folder) =>
            rules.join(folder, name),
          );
    return candidates
      .flatMap((file) => (onWindows && !/\.[a-z]+$/iu.test(file) ? [`${file}.exe`] : [file]))
      .find(
        (file) =>
          // Node would hand .bat and .cmd to cmd.exe, which parses arguments again (CVE-2024-27980).
          !(onWindows && /\.(?:bat|cmd)[. ]*$/iu.test(file)) && this.#system.isExecutable(file),
      );
  }

  /** The system's own way, or a few words why there is none. */
  #systemOpener(): Opener | string {
    if (this.#platform === "win32") {
      const root = this.#variable("SystemRoot");
      const folder = /^[a-z]:\\[^"%]*$/iu.test(root) ? root : "C:\\Windows";
      // Not `cmd /c start` nor PowerShell: both parse the address again (B02).
      return {
        file: win32.join(folder, "System32", "rundll32.exe"),
        words: ["url.dll,FileProtocolHandler"],
      };
    }
    if (this.#platform === "darwin") return { file: "/usr/bin/open", words: [] };

    if (/microsoft/iu.test(this.#system.readText("/proc/version"))) {
      const file = "/mnt/c/Windows/System32/rundll32.exe";
      if (this.#system.isExecutable(file)) return { file, words: ["url.dll,FileProtocolHandler"] };
    }
    if (!this.#variable("DISPLAY") && !this.#variable("WAYLAND_DISPLAY")) {
      if (this.#variable("SSH_CONNECTION") || this.#variable("SSH_TTY")) return "SSH session";
      const inContainer =
        this.#system.exists("/.dockerenv") || this.#system.exists("/run/.containerenv");
      return inContainer ? "container" : "no display";
    }
    for (const [name, ...words] of desktopOpeners) {
      const file = trustedFolders
        .map((folder) => posix.join(folder, name))
        .find((path) => this.#system.isExecutable(path));
      if (file !== undefined) return { file, words };
    }
    return noOpener;
  }

  /** A variable of the environment; on Windows in whatever case it was set. */
  #variable(name: string): string {
    const exact = this.#environment[name];
    if (exact !== undefined || this.#platform !== "win32") return exact ?? "";
    const found = Object.entries(this.#environment).find(
      ([key]) => key.toUpperCase() === name.toUpperCase(),
    );
    return found?.[1] ?? "";
  }

  async #start(opener: Opener, address: string): Promise<Launch> {
    const name = basename(opener.file);
    const failed = (what: string): BrowserResult => ({ opened: false, problem: `${name} ${what}` });
    const words = opener.words.some((word) => word.includes("%s"))
      ? opener.words.map((word) => word.split("%s").join(address))
      : [...opener.words, address];
    const settled = new AbortController();
    try {
      const child = this.#system.spawn(opener.file, words, {
        shell: false,
        // What an opener prints must not reach our standard output (B09); nor may it read our input.
        stdio: "ignore",
        detached: true,
        windowsHide: true,
        env: childEnvironment(this.#environment, this.#platform),
      });
      const ended = new Promise<BrowserResult>((resolve) => {
        child.once("error", (error: NodeJS.ErrnoException) =>
          resolve(failed(error.code === "ENOENT" ? "not found" : "could not be started")),
        );
        child.once("exit", (status, signal) =>
          resolve(
            status === 0
              ? { opened: true }
              : failed(signal === null ? `ended with status ${status}` : `was ended by ${signal}`),
          ),
        );
      });
      child.unref();
      const stillRuns = this.#clock
        .sleep(failureMilliseconds, { signal: settled.signal })
        .then((): BrowserResult => ({ opened: true }));
      // Rejects when `ended` won and the timer is taken away.
      stillRuns.catch(() => undefined);
      const result = await Promise.race([ended, stillRuns]);
      return result.opened ? { ...result, file: opener.file } : result;
    } catch {
      return failed("could not be started");
    } finally {
      settled.abort();
    }
  }
}

/**
 * Makes the function that opens a browser. It never rejects. `opened: true` means that a program was started and did
 * not fail within a second, which proves nothing about what it did.
 */
export function createBrowserLauncher(options: BrowserLauncherOptions): BrowserLauncher {
  const launcher = new Launcher(options);
  return async (url, command, hasCome) => {
    const { file, ...result } = await launcher.open(url, command, hasCome);
    if (result.opened) emit(options.logger, "browser.opened", { command: basename(file ?? "") });
    else emit(options.logger, "browser.failed", { why: result.problem });
    return result;
  };
}

/** Makes the function that says, without starting anything, why this machine has no browser to open. */
export function createBrowserSearch(options: BrowserLauncherOptions): BrowserSearch {
  const launcher = new Launcher(options);
  return (command) => Promise.resolve(launcher.whyNone(command));
}
