// Loaded into the command line by `node --import`: says on standard error when it reaches a named point of its work.
// Changes when tests must hear of it in another way.
import { subscribe } from "node:diagnostics_channel";
import { writeSync } from "node:fs";

subscribe("latchkey:events", (message) => {
  const { name } = /** @type {{ name: string }} */ (message);
  if (name === process.env["TELL_AT"]) writeSync(2, `at ${name}\n`);
});
