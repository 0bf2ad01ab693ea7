// The tools that can be set up, by name; each is loaded when it is.

import { loadPart } from "../core/load.ts";
import type { PlanSetup } from "./tool-setup.ts";

/** Loads the planning of one. */
export const setupLoaders: Readonly<
  Record<string, () => Promise<{ readonly planSetup: PlanSetup }>>
> = {
  kubectl: () => loadPart(() => import("./kubectl.ts")),
  git: () => loadPart(() => import("./git.ts")),
  docker: () => loadPart(() => import("./docker.ts")),
  cargo: () => loadPart(() => import("./cargo.ts")),
  pnpm: () => loadPart(() => import("./pnpm.ts")),
  pip: () => loadPart(() => import("./pip.ts")),
  bazel: () => loadPart(() => import("./bazel.ts")),
  terraform: () => loadPart(() => import("./terraform.ts")),
  aws: () => loadPart(() => import("./aws.ts")),
  gcp: () => loadPart(() => import("./gcp.ts")),
};
