// The conformance suite of MCP with the official client, installed once. Changes when another version of it is tested.

import { execFile } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { npmPackages } from "./installed-once.ts";

const platform = process.platform === "win32" ? "win" : process.platform;
const nodePackage = `node-${platform}-${process.arch}`;
const suite = "0.2.0-alpha.12";
const client = "2.4.0";
// The suite needs Node 22.
const packages = [
  `@modelcontextprotocol/conformance@${suite}`,
  `@modelcontextprotocol/client@${client}`,
  `${nodePackage}@24`,
];

/** The suite as it is installed. */
export interface ConformanceSuite {
  /** Runs it; gives its exit status and everything that it wrote. */
  run(
    parameters: readonly string[],
    options: { readonly home: string; readonly environment?: Readonly<Record<string, string>> },
  ): Promise<{ readonly status: number; readonly output: string }>;
  readonly node: string;
  /** The address of the official client's module. */
  readonly client: string;
}

/** Takes away what nobody runs: half of what is installed are declarations and source maps. */
function strip(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/\.(?:map|d\.[cm]?ts|markdown)$/.test(entry.name)) continue;
    rmSync(join(entry.parentPath, entry.name));
  }
}

/** Installs it where it is not yet. */
export async function conformanceSuite(): Promise<ConformanceSuite> {
  const modules = await npmPackages(`mcp-conformance-${suite}-${client}`, packages, strip);
  const node = join(modules, nodePackage, "bin", platform === "win" ? "node.exe" : "node");
  const program = join(modules, "@modelcontextprotocol", "conformance", "dist", "index.js");
  return {
    node,
    client: pathToFileURL(join(modules, "@modelcontextprotocol", "client", "dist", "index.mjs"))
      .href,
    run: (parameters, { home, environment }) =>
      new Promise((resolve) => {
        const { PATH = "" } = process.env;
        const env = { PATH, HOME: home, ...environment };
        execFile(node, [program, ...parameters], { cwd: home, env }, (error, stdout, stderr) => {
          const code = error === null ? 0 : error.code;
          resolve({ status: typeof code === "number" ? code : -1, output: stdout + stderr });
        });
      }),
  };
}
