// An operating system that starts nothing. Changes when opening a browser needs another thing of the system.
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { EventEmitter } from "node:events";
import type { BrowserSystem } from "../../src/interaction/browser.ts";

/** A program as it would have been started. */
export interface Spawned {
  file: string;
  words: readonly string[];
  options: SpawnOptions;
}

/** Another operating system: what is spawned is written down, and ends with status 0. */
export function playedSystem(
  files: readonly string[],
  texts: Readonly<Record<string, string>> = {},
  links: Readonly<Record<string, string>> = {},
): BrowserSystem & { spawned: Spawned[] } {
  const spawned: Spawned[] = [];
  return {
    spawned,
    spawn(file, words, options) {
      spawned.push({ file, words, options });
      const child = Object.assign(new EventEmitter(), { unref: () => undefined });
      setImmediate(() => child.emit("exit", 0, null));
      return child as unknown as ChildProcess;
    },
    isExecutable: (path) => files.includes(path),
    exists: (path) => files.includes(path) || path in texts,
    realPath: (path) => links[path] ?? path,
    readText: (path) => texts[path] ?? "",
  };
}
