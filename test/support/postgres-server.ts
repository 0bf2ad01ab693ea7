// A PostgreSQL server of a test's own. Changes when tests need something else of one.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface PostgresServer {
  /** What clients find it by. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends, and deletes what it kept. */
  close(): Promise<void>;
}

// Debian keeps each version's programs apart, and those of the server off the path.
const versions = "/usr/lib/postgresql";
// The server does not run as root.
const nobody = 65_534;

/** Starts a server that listens on a socket in a folder alone. */
export async function startPostgres(): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-postgres-"));
  const newest = readdirSync(versions).toSorted((one, other) => Number(other) - Number(one))[0];
  const program = (name: string): string => join(versions, newest ?? "", "bin", name);
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  if ("uid" in identity) chownSync(folder, nobody, nobody);
  const data = join(folder, "data");
  // Nothing of it has to outlast a failure of the machine.
  await run(program("initdb"), ["-D", data, "-U", "test", "--auth=trust", "--no-sync"], {
    cwd: folder,
    ...identity,
  });
  const settings = ["-c", "listen_addresses=", "-c", `unix_socket_directories=${folder}`];
  const server = spawn(program("postgres"), ["-D", data, ...settings], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    ...identity,
  });
  server.stderr.setEncoding("utf8");
  let said = "";
  while (!said.includes("ready to accept connections")) {
    if (server.exitCode !== null) throw new Error(`PostgreSQL ended: ${said}`);
    said += String((await once(server.stderr, "data"))[0]);
  }
  server.stderr.resume();
  return {
    environment: { PGHOST: folder, PGUSER: "test", PGDATABASE: "postgres" },
    close: async () => {
      const ended = once(server, "exit");
      server.kill("SIGINT");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
