// The tools that there are helpers for, by name; each is loaded when it asks.

import { loadPart } from "../core/load.ts";
import type { Tool } from "./tool.ts";

/** Loads one. */
export const toolLoaders: Readonly<Record<string, () => Promise<{ readonly tool: Tool }>>> = {
  kubectl: () => loadPart(() => import("./kubectl.ts")),
  git: () => loadPart(() => import("./git.ts")),
  docker: () => loadPart(() => import("./docker.ts")),
  cargo: () => loadPart(() => import("./cargo.ts")),
  gcp: () => loadPart(() => import("./gcp.ts")),
  aws: () => loadPart(() => import("./aws.ts")),
  bazel: () => loadPart(() => import("./bazel.ts")),
  terraform: () => loadPart(() => import("./terraform.ts")),
  keyring: () => loadPart(() => import("./keyring.ts")),
  headers: () => loadPart(() => import("./headers.ts")),
};
