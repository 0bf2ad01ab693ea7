// A process with a callback listener, for what only a whole process can show. Changes when such a thing is added.
// Roles: `settle` and `close` end the listener at its first callback; `cluster` lets two workers want one port.
import cluster from "node:cluster";
import { randomBytes } from "node:crypto";
import { systemClock } from "../../src/core/clock.ts";
import { isOidcError } from "../../src/core/errors.ts";
import { openCallbackListener } from "../../src/interaction/listener.ts";
import type { CallbackListener } from "../../src/interaction/listener.ts";

const [role = "", port = "0"] = process.argv.slice(2);

async function open(): Promise<CallbackListener> {
  return openCallbackListener({
    host: "127.0.0.1",
    ports: [Number(port)],
    path: "/callback",
    responseMode: "query",
    isExpectedState: () => true,
    clock: systemClock,
    logger: undefined,
    randomBytes,
  });
}

async function asWorker(): Promise<void> {
  try {
    await open();
    process.send?.("open");
  } catch (error) {
    process.send?.(isOidcError(error) ? error.code : String(error));
  }
}

async function asPrimary(): Promise<void> {
  const reports: string[] = [];
  for (let count = 1; count <= 2; count += 1) {
    const worker = cluster.fork();
    reports.push(await new Promise<string>((resolve) => void worker.once("message", resolve)));
  }
  process.stdout.write(reports.join(" "));
  process.exit(0);
}

async function asSignIn(): Promise<void> {
  const listener = await open();
  let ended = false;
  void listener.ended.then(() => (ended = true));
  process.once("exit", () => void process.stdout.write(` ended=${ended}`));
  process.stdout.write(`${listener.port}`);
  await listener.callback;
  if (role === "settle") listener.settle({ kind: "done" });
  else await listener.close();
}

if (role !== "cluster") await asSignIn();
else if (cluster.isPrimary) await asPrimary();
else await asWorker();
