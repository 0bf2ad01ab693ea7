// Changes when the bench tells its clients something else. What every client reads from its environment.
import { spawn } from "node:child_process";

/** @param {string} name */
function setting(name) {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: start this through run.mjs`);
  return value;
}

export const issuer = setting("BENCH_ISSUER");
export const clientId = setting("BENCH_CLIENT_ID");
/** Where a client keeps its cache. */
export const folder = setting("BENCH_FOLDER");
/** Words of a command that opens the URL that follows, as a person's browser would. */
export const browserCommand = setting("BENCH_BROWSER");

/**
 * `sign-in`: a person is there. `token`: nobody is. `renew`: nobody is, and what is cached does not count.
 * @type {string}
 */
export const mode = process.argv[2] ?? "token";

/** The exit status that means "a person has to sign in", the same for all clients. */
export const needsPerson = 3;

/** @param {string} url */
export function openBrowser(url) {
  const [command = "", ...words] = browserCommand.split(" ");
  spawn(command, [...words, url], { stdio: "ignore", detached: true }).unref();
}

/** Prints the token, as `latchkey token` does. @param {string} token */
export function printToken(token) {
  process.stdout.write(`${token}\n`);
}

/** One line for the bench, and the exit status. @param {number} status @param {string} reason */
export function giveUp(status, reason) {
  process.stderr.write(`${reason}\n`);
  process.exitCode = status;
}
