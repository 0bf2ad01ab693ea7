// A PostgreSQL server of a test's own. Changes when tests need something else of one.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
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

/** What differs from the usual server, which listens on a socket in a folder alone. */
export interface PostgresOptions {
  /** Where its programs are. Default: Debian's newest. */
  readonly programs?: string;
  /** Its port at 127.0.0.1. */
  readonly port?: number;
  /** Of its configuration. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Who may sign in over TCP, and how: lines of pg_hba.conf. Default: nobody. */
  readonly access?: readonly string[];
  /** Files of its folder by their names, such as keys. */
  readonly files?: Readonly<Record<string, string>>;
  /** What its environment has in addition. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a server; over its socket everybody is trusted. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { port, settings = {}, access = [], files = {}, env = {} } = options;
  const folder = mkdtempSync(join(tmpdir(), "latchkey-postgres-"));
  const newest = (): string =>
    readdirSync(versions).toSorted((one, other) => Number(other) - Number(one))[0] ?? "";
  const programs = options.programs ?? join(versions, newest(), "bin");
  const program = (name: string): string => join(programs, name);
  const identity = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {};
  const own = (path: string): void => {
    if ("uid" in identity) chownSync(path, nobody, nobody);
  };
  own(folder);
  const data = join(folder, "data");
  // Nothing of it has to outlast a failure of the machine.
  await run(program("initdb"), ["-D", data, "-U", "test", "--auth=trust", "--no-sync"], {
    cwd: folder,
    ...identity,
  });
  const rules = ["local all all trust", ...access];
  for (const [name, text] of Object.entries({ ...files, "pg_hba.conf": `${rules.join("\n")}\n` })) {
    writeFileSync(join(data, name), text, { mode: 0o600 });
    own(join(data, name));
  }
  const all = {
    listen_addresses: port === undefined ? "" : "127.0.0.1",
    unix_socket_directories: folder,
    ...(port === undefined ? {} : { port: String(port) }),
    ...settings,
  };
  const words = Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = spawn(program("postgres"), ["-D", data, ...words], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
    ...identity,
  });
  server.stderr.setEncoding("utf8");
  let said = "";
  await new Promise<void>((resolve, reject) => {
    server.stderr.on("data", (text: string) => {
      said += text;
      if (said.includes("ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error(`PostgreSQL ended: ${said}`)));
  });
  server.stderr.removeAllListeners("data");
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
