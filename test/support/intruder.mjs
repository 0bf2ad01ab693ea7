#!/usr/bin/env node
// Changes when another user of the machine tries something new: intruder.mjs MARK
// Waits for an address in the arguments of a process that names MARK too, opens it, and signs in with an account of its
// own. Writes "seen", goes on at a line of input, and writes how that went.
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { visit } from "../../demo/stand-in-browser.mjs";

const [mark = ""] = process.argv.slice(2);
const address = /^http:\/\/127\.0\.0\.1:\d+\/\S+$/;

/** @returns {string | undefined} */
function addressInArguments() {
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
      if (words.some((word) => word.includes(mark))) {
        const found = words.find((word) => address.test(word));
        if (found !== undefined) return found;
      }
    } catch {
      // It has ended.
    }
  }
  return undefined;
}

/** @type {string | undefined} */
let found;
while (found === undefined) {
  await new Promise((resolve) => setTimeout(resolve, 5));
  found = addressInArguments();
}
process.stdout.write("seen\n");
await once(process.stdin, "data");
const fromStart = /\/[\w-]{22}$/.test(found);
try {
  const { redirectUrl } = await visit(found, { login: "mallory", fromStart });
  process.stdout.write(redirectUrl === undefined ? "signed in at the provider\n" : "delivered\n");
} catch {
  process.stdout.write("refused\n");
}
process.exit(0);
