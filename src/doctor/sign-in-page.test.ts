// Whether a page's form-action lets a browser come back to an address of this machine.
import { expect, test } from "vitest";
import { blocksReturn } from "./sign-in-page.ts";
import { refusedByKuberc } from "./tools/kubectl.ts";

const redirect = new URL("http://127.0.0.1:8765/callback");

test.each([
  ["default-src 'none'", false],
  ["form-action 'self'", true],
  ["form-action 'none'", true],
  ["form-action", true],
  ["form-action 'self' https:", true],
  ["form-action *", false],
  ["form-action 'self' http:", false],
  ["form-action http://127.0.0.1:*", false],
  ["form-action http://127.0.0.1:8765", false],
  ["form-action http://127.0.0.1:8766", true],
  ["form-action http://127.0.0.1", true],
  ["form-action http://localhost:*", true],
  ["Form-Action http://127.0.0.1:8765/callback; default-src 'none'", false],
  ["form-action *, form-action 'self'", true],
])("%s stops it: %s", (policies, blocks) => {
  expect(blocksReturn(policies, redirect)).toBe(blocks);
});

const allowlist = "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist:\n";

test.each([
  ["kind: Preference\n", undefined],
  ["credentialPluginPolicy: AllowAll\n", undefined],
  ["credentialPluginPolicy: DenyAll\n", "all"],
  [`${allowlist}  - command: other\n`, "unlisted"],
  [`${allowlist}  - command: /opt/bin/latchkey\n`, undefined],
  [`${allowlist}  - command: "kubectl-latchkey"\n`, undefined],
  [`${allowlist}  - {command: latchkey}\n`, undefined],
  [`${allowlist}  - command: notlatchkey\n`, "unlisted"],
])("a kuberc of %j refuses: %s", (text, refused) => {
  expect(refusedByKuberc(text)).toBe(refused);
});
