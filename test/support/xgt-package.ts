// The reference system's own Python client, in an environment of its own. Changes when another version of it is tested.
import { spawnSync } from "node:child_process";
import { pythonPackages } from "./installed-once.ts";

/** Why it cannot be had here; empty where it can. */
export const xgtIsMissing: string =
  spawnSync("python3", ["-c", "import ensurepip, venv"]).status === 0 ? "" : "no Python with venv";

/** The Python that has it. Its other packages are those that it asks for. */
export async function xgtPython(): Promise<string> {
  return pythonPackages(["xgt==2.7.0", "grpcio==1.85.3", "protobuf==7.36.2"]);
}
