// What each command does. Made from the folders here by `npm run generate`: change those instead.

import type { Command } from "../context.ts";

/** By the command's name; each is loaded when it is run. */
export const runsOfCommands: Readonly<Record<string, () => Promise<{ readonly run: Command }>>> = {
  setup: () => import("./setup/run.ts"),
  login: () => import("./login/run.ts"),
  token: () => import("./token/run.ts"),
  status: () => import("./status/run.ts"),
  whoami: () => import("./whoami/run.ts"),
  logout: () => import("./logout/run.ts"),
  cache: () => import("./cache/run.ts"),
  trust: () => import("./trust/run.ts"),
  fetch: () => import("./fetch/run.ts"),
  exec: () => import("./exec/run.ts"),
  credential: () => import("./credential/run.ts"),
  proxy: () => import("./proxy/run.ts"),
  doctor: () => import("./doctor/run.ts"),
  completion: () => import("./completion/run.ts"),
  help: () => import("./help/run.ts"),
  version: () => import("./version/run.ts"),
};
