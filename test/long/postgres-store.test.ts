// The store of examples/postgres-store.mjs on a real PostgreSQL: the promises of every store, and its fence.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { needs } from "../support/debian-packages.ts";
import { startPostgres } from "../support/postgres-server.ts";

const run = promisify(execFile);
const example = fileURLToPath(new URL("../../examples/postgres-store.mjs", import.meta.url));

test.skipIf(!needs("postgresql").available)(
  "the store on PostgreSQL keeps every promise of a store",
  async () => {
    const server = await startPostgres();
    onTestFinished(() => server.close());
    const { stdout } = await run(process.execPath, ["--test", example], {
      env: { PATH: process.env["PATH"], ...server.environment },
    }).catch((error: unknown) => error as { stdout: string });
    expect(stdout).toMatch(/\bpass 20$/m);
    expect(stdout).toMatch(/\bfail 0$/m);
  },
);
