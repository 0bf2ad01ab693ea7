// The report of `latchkey doctor`: its look, and that nothing in it commands the terminal.
import { expect, test } from "vitest";
import type { CheckStatus } from "../../doctor/check.ts";
import { failed, ok, skipped, warning, type Finding } from "../../doctor/check.ts";
import { pasteable } from "../../doctor/pasteable.ts";
import { OidcError } from "../../core/errors.ts";
import { wordingOf } from "../../core/errors.ts";
import { option, say, worded } from "../../core/wording.ts";
import { doctorText } from "./doctor.ts";
import { commandLineNames } from "./errors.ts";

const machine = { homeDirectory: "/home/alice", environment: { USER: "alice" } };
const expired = new OidcError(
  "tls",
  "id.example.com:443 (discovery) shows a certificate that expired on 2026-11-30. The request was not sent.",
  {
    reason: "expired",
    remedy: "Whoever runs the host has to renew it; is this machine's clock right?",
  },
);
const findings: readonly (readonly [name: string, finding: Finding])[] = [
  ["versions", ok("Latchkey 1.0.0 on Node 24.11.1 (linux).")],
  ["browser", warning("None was found: SSH session.", say`Set ${option("flow", "device")}.`)],
  [
    "cache",
    ok("/home/alice/.local/state/latchkey is this user's alone and can be written (records: 2)."),
  ],
  ["keychain", skipped(say`It is not used (${option("storage", "file")}).`)],
  ["tls", failed(wordingOf(expired))],
  [
    "kubeconfig",
    failed(
      "The user me has an exec plug-in whose command is not found (/home/alice/bin/latchkey).",
      "Write its whole path.",
    ),
  ],
];

function report(columns: number): string {
  const shown = findings.map(([name, { status, said }]) => ({
    name,
    status,
    said: pasteable(worded(said, commandLineNames([])), machine),
  }));
  return doctorText(shown, columns);
}

test.each([80, 40])("the report at %i columns", async (columns) => {
  const text = report(columns);
  expect(text).not.toMatch(/[^\n\x20-\x7e]/u);
  await expect(`${text}\n`).toMatchFileSnapshot(`../__captures__/doctor-${String(columns)}.txt`);
});

test("nothing that a provider or a file said commands the terminal [O06]", () => {
  const status: CheckStatus = "failed";
  const text = doctorText([{ name: "tls", status, said: "a\u001b[2Jb\u202ec\u009b31m" }], 80);
  expect(text).not.toMatch(/[^\n\x20-\x7e]/u);
});

test.each([
  ["/home/alice/.kube/config", "~/.kube/config"],
  ["/home/alice", "~"],
  ["/home/alice2/x", "/home/alice2/x"],
  ["/mnt/alice/x and alice@id.example.com", "/mnt/USER/x and USER@id.example.com"],
  ["malice, alicebob", "malice, alicebob"],
])("%s is shown as %s", (text, shown) => {
  expect(pasteable(text, machine)).toBe(shown);
});
