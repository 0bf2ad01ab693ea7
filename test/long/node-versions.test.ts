// The unit lane, and a part of the wire and process lanes, on every Node that is promised.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";

const script = fileURLToPath(new URL("../../scripts/node-versions.mjs", import.meta.url));

interface VersionReport {
  readonly wanted: string;
  readonly version: string;
  readonly counts: {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: readonly string[];
    readonly failures: readonly string[];
  };
  readonly isSuccess: boolean;
}

// The script ends a run after 15 minutes by itself.
test("passes on the oldest Node, 22, 24 and the newest", { timeout: 65 * 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-versions-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const report = join(folder, "report.json");
  // Its lines are shown as they come: the count of each version, and the output of one that failed.
  // Two at once: a run leaves half of two processors idle.
  const parameters = [script, "--report", report, "--at-once", "2"];
  const child = spawn(process.execPath, parameters, { stdio: "inherit" });
  onTestFinished(() => void child.kill());
  const [status] = (await once(child, "close")) as [number | null];

  const reports = JSON.parse(readFileSync(report, "utf8")) as VersionReport[];
  expect(reports.map(({ wanted }) => wanted)).toEqual(["20.19.0", "22", "24", "latest"]);
  expect(reports.map(({ version }) => version.split(".")[0])).toEqual(
    expect.arrayContaining(["20", "22", "24"]),
  );
  expect(reports.filter(({ isSuccess }) => !isSuccess)).toEqual([]);
  const totals = reports.map(({ counts }) => counts.passed + counts.skipped.length);
  // The same suite everywhere, and a whole one: a run that finds no tests must not look like a success.
  expect(new Set(totals).size).toBe(1);
  expect(Math.min(...reports.map(({ counts }) => counts.passed))).toBeGreaterThan(2000);
  expect(reports.map(({ counts }) => counts.failed)).toEqual([0, 0, 0, 0]);
  expect(status).toBe(0);
});
