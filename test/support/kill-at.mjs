// Loaded into the command line by `node --import`: ends the process, as `kill -9` does, when it reaches a named point of
// its work. Changes when tests must choose the point or the process in another way.
//
// The points are the events that Latchkey publishes on its diagnostics channel, so the program under test is the very
// one that people install: there is no hook in it.
import { subscribe } from "node:diagnostics_channel";
import { closeSync, openSync } from "node:fs";

const point = process.env["KILL_AT"];
const marker = process.env["KILL_ONCE"];

/** True for one process alone: the one that makes the marker file. */
function isChosen() {
  try {
    closeSync(openSync(String(marker), "wx"));
    return true;
  } catch {
    return false;
  }
}

subscribe("latchkey:events", (message) => {
  const { name } = /** @type {{ name: string }} */ (message);
  if (name === point && isChosen()) process.kill(process.pid, "SIGKILL");
});
