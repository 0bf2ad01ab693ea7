#!/usr/bin/env node
// Changes when tests must know more of how a browser was started. A stand-in for a browser: opener.mjs FILE [--stay | --status N] URL
// Writes its arguments and environment to FILE, speaks on both outputs, and ends or stays.
import { renameSync, writeFileSync } from "node:fs";

const [file, ...words] = process.argv.slice(2);
process.stdout.write("noise of the browser\n");
process.stderr.write("noise of the browser\n");
writeFileSync(`${file}.new`, JSON.stringify({ words, environment: process.env, pid: process.pid }));
renameSync(`${file}.new`, file);
const status = words.indexOf("--status");
if (status !== -1) process.exitCode = Number(words[status + 1]);
// Longer than any test, and not for ever where one failed before it ended this.
if (words.includes("--stay")) setTimeout(() => undefined, 60_000);
