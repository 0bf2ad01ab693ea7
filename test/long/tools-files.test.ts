// Prometheus reads the token from a file that Latchkey keeps, and goes on with the next one when the first has ended.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from "vitest";
import { needs } from "../support/debian-packages.ts";
import { freePort } from "../support/free-port.ts";
import { linesOfPage, startToolDesk, type ToolDesk } from "../support/tool-desk.ts";
import { startEchoServer } from "../support/tool-servers.ts";

const prometheus = needs("prometheus");
const lifetimeSeconds = 8;

let here: ToolDesk;
beforeAll(async () => {
  if (!prometheus.available) return;
  here = await startToolDesk();
  here.identityProvider.setAccessTokenLifetime(lifetimeSeconds);
});
afterAll(() => here?.close());

function endWithTest(child: ChildProcess): void {
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill();
    await once(child, "exit");
  });
}

test.skipIf(!prometheus.available)(
  "prometheus has a token that is valid at each scrape",
  async () => {
    const server = await here.started(startEchoServer(here.identityProvider));
    here.configure();
    mkdirSync(join(here.home, ".cache"));
    const keep = linesOfPage("--keep").replace("~", here.home).trim();
    // The page's own line; the sign-in's token outlives the test, so another one is asked for.
    const options = { cwd: here.home, env: here.environment, stdio: "ignore" } as const;
    endWithTest(spawn("/bin/sh", ["-c", `exec ${keep} --force-refresh`], options));
    const config = join(here.home, "prometheus.yml");
    writeFileSync(
      config,
      `global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
  - job_name: tests
    authorization: {credentials_file: ${join(here.home, ".cache", "work-token")}}
    static_configs: [{targets: ["${server.host}"]}]
`,
    );
    const parameters = [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(here.home, "series")}`,
      `--web.listen-address=127.0.0.1:${String(await freePort())}`,
      "--log.level=error",
    ];
    endWithTest(spawn(prometheus.path, parameters, options));
    await vi.waitUntil(() => server.tokens.size >= 3, { timeout: 120_000, interval: 100 });
    expect(server.log).toContain("GET /metrics Bearer 200");
    expect(server.log.filter((line) => !line.startsWith("GET /metrics Bearer 200"))).toEqual([]);
  },
);
