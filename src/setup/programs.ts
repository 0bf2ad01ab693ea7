// Where a program is, as the tools that start helpers look for it. Changes when they look elsewhere.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join } from "node:path";
import type { Machine } from "../options/paths.ts";

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The file of a program: an absolute path, or a name in the absolute folders of PATH. */
export function findProgram(
  name: string,
  { environment, platform }: Pick<Machine, "environment" | "platform">,
): string | undefined {
  const endings = platform === "win32" ? [".exe", ".cmd", ""] : [""];
  const folders = isAbsolute(name)
    ? [""]
    : /[/\\]/.test(name)
      ? []
      : (environment["PATH"] ?? "").split(delimiter).filter((folder) => isAbsolute(folder));
  return folders
    .flatMap((folder) =>
      endings.map((ending) => (folder === "" ? name : join(folder, name)) + ending),
    )
    .find((path) => isProgram(path));
}
