// Another user of the machine who takes every name of Latchkey's that he can see, and never answers. Changes when a test
// wants more of him. He says `ready`, then each name that he has got on a line of its own.
import { readFileSync } from "node:fs";
import { createServer } from "node:net";

const got = new Set();
const trying = new Set();

function take(name) {
  if (got.has(name) || trying.has(name)) return;
  trying.add(name);
  const server = createServer(() => undefined);
  const over = () => trying.delete(name);
  server.once("error", over);
  server.listen({ path: name.replaceAll("@", "\0"), exclusive: true }, () => {
    over();
    got.add(name);
    process.stdout.write(`${name}\n`);
  });
}

const seen = new Set();
setInterval(() => {
  for (const line of readFileSync("/proc/net/unix", "latin1").split("\n")) {
    const name = line.trim().split(/\s+/)[7];
    if (name !== undefined && /latchkey|holder-/.test(name)) seen.add(name);
  }
  for (const name of seen) take(name);
}, 25);
process.stdout.write("ready\n");
