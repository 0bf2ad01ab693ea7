// The commands in the order of lists. Made from the folders here by `npm run generate`: change those instead.

import type { CommandSpec } from "../spec.ts";
import { spec as setup } from "./setup/spec.ts";
import { spec as login } from "./login/spec.ts";
import { spec as token } from "./token/spec.ts";
import { spec as status } from "./status/spec.ts";
import { spec as whoami } from "./whoami/spec.ts";
import { spec as logout } from "./logout/spec.ts";
import { spec as cache } from "./cache/spec.ts";
import { spec as trust } from "./trust/spec.ts";
import { spec as fetch } from "./fetch/spec.ts";
import { spec as exec } from "./exec/spec.ts";
import { spec as credential } from "./credential/spec.ts";
import { spec as proxy } from "./proxy/spec.ts";
import { spec as doctor } from "./doctor/spec.ts";
import { spec as completion } from "./completion/spec.ts";
import { spec as help } from "./help/spec.ts";
import { spec as version } from "./version/spec.ts";

export const commandSpecs: readonly CommandSpec[] = [
  setup,
  login,
  token,
  status,
  whoami,
  logout,
  cache,
  trust,
  fetch,
  exec,
  credential,
  proxy,
  doctor,
  completion,
  help,
  version,
];
