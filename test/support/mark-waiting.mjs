// Loaded into the command line by `node --import`: leaves a file when the process waits for another's work. Changes when
// tests must know another thing of a process from outside.
import { subscribe } from "node:diagnostics_channel";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = String(process.env["MARK_WAITING"]);

subscribe("latchkey:events", (message) => {
  const { name } = /** @type {{ name: string }} */ (message);
  if (name === "lock.waiting") writeFileSync(join(folder, String(process.pid)), "");
});
