// A keychain of a test's own: gnome-keyring on a bus of its own, where nothing else answers. Changes when tests need
// another state of it.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** One keychain, and the bus on which it is found. */
export interface TestKeychain {
  /** What a program needs in its environment to find it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends its daemon, if it runs, and starts one: unlocked by this password, or locked without one. */
  start(password?: string): Promise<void>;
  /** Ends its daemon: nobody answers. */
  stop(): Promise<void>;
  /** Forgets every entry, as who deletes the keychain's file. */
  empty(): void;
}

// Its one service is a prompter that ends at once: a locked keychain stays locked. A daemon that is asked for and not
// there is not started by the bus.
const configuration = (folder: string): string => `<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=${folder}/bus</listen>
<servicedir>${folder}</servicedir><auth>EXTERNAL</auth>
<limit name="max_connections_per_user">1000</limit>
<policy context="default"><allow send_destination="*" eavesdrop="true"/>
<allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
`;

async function end(process: ChildProcess | undefined): Promise<void> {
  if (process === undefined || process.exitCode !== null || process.signalCode !== null) return;
  process.kill();
  await once(process, "exit");
}

/** A keychain whose daemon does not run yet. It is cleared away after the test. */
export async function testKeychain(): Promise<TestKeychain> {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-keychain-"));
  const keyrings = join(folder, "data", "keyrings");
  mkdirSync(keyrings, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "bus.conf"), configuration(folder));
  writeFileSync(
    join(folder, "prompter.service"),
    "[D-BUS Service]\nName=org.gnome.keyring.SystemPrompter\nExec=/bin/false\n",
  );
  const environment = {
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${folder}/bus`,
    XDG_RUNTIME_DIR: folder,
  };
  const bus = spawn(
    "dbus-daemon",
    [`--config-file=${folder}/bus.conf`, "--nofork", "--print-address=1"],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  await once(createInterface(bus.stdout), "line");
  let daemon: ChildProcess | undefined;
  const stop = async (): Promise<void> => {
    const running = daemon;
    daemon = undefined;
    await end(running);
  };
  onTestFinished(async () => {
    await stop();
    await end(bus);
    rmSync(folder, { recursive: true, force: true });
  });
  const answers = (): boolean => {
    const asked = spawnSync(
      "dbus-send",
      [
        "--session",
        "--print-reply",
        "--dest=org.freedesktop.DBus",
        "/",
        "org.freedesktop.DBus.NameHasOwner",
        "string:org.freedesktop.secrets",
      ],
      { env: { ...process.env, ...environment }, encoding: "utf8" },
    );
    return asked.stdout.includes("boolean true");
  };
  return {
    environment,
    stop,
    empty: () => {
      rmSync(keyrings, { recursive: true, force: true });
      mkdirSync(keyrings, { mode: 0o700 });
    },
    async start(password) {
      await stop();
      const unlock = password === undefined ? [] : ["--unlock"];
      const started = spawn(
        "gnome-keyring-daemon",
        ["--foreground", "--components=secrets", ...unlock],
        {
          env: {
            ...process.env,
            ...environment,
            HOME: folder,
            XDG_DATA_HOME: join(folder, "data"),
          },
          stdio: ["pipe", "ignore", "ignore"],
        },
      );
      started.stdin.end(password ?? "");
      daemon = started;
      while (!answers()) {
        if (started.exitCode !== null) throw new Error("gnome-keyring ended");
        await pause(20);
      }
    },
  };
}
