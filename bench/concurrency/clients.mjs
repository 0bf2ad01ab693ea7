// Changes when another client is worth comparing, or one is called in another way.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** @typedef {"sign-in" | "token" | "renew"} Mode see clients/settings.mjs */

/**
 * @typedef {object} Client
 * @property {string} name
 * @property {"usual" | "msal"} registration
 * @property {(mode: Mode, desk: Desk) => readonly string[]} words
 * @property {string} [cannotSignIn] why it has no row where nothing is cached
 */

/**
 * @typedef {object} Desk a home folder of its own, and how often a browser window opened there
 * @property {string} home
 * @property {Readonly<Record<string, string>>} environment
 * @property {string} browserCommand
 * @property {() => number} windows
 * @property {() => void} remove
 */

/** What Node alone costs: started in the same rounds, so that its load is the same. */
export const bareNode = "node -e 0";

/** @param {string} name */
const script = (name) => fileURLToPath(new URL(`./clients/${name}.mjs`, import.meta.url));
const browser = fileURLToPath(new URL("./browser.mjs", import.meta.url));

/** @param {string} node @param {string} latchkey the installed package @param {{ issuer: string, clientIds: Record<string, string> }} provider @returns {readonly Client[]} */
export function makeClients(node, latchkey, provider) {
  const modeFlags = {
    "sign-in": [],
    token: ["--no-interactive"],
    renew: ["--no-interactive", "--force-refresh"],
  };
  return [
    {
      name: "latchkey token",
      registration: "usual",
      words: (mode, desk) => [
        node,
        join(latchkey, "dist", "cli", "latchkey.cjs"),
        "token",
        `--issuer=${provider.issuer}`,
        `--client-id=${provider.clientIds["usual"]}`,
        "--callback-port=0",
        `--browser-command=${desk.browserCommand}`,
        ...modeFlags[mode],
      ],
    },
    {
      name: "latchkey library",
      registration: "usual",
      words: (mode) => [node, script("latchkey-library"), mode],
    },
    {
      name: "msal-node + extensions",
      registration: "msal",
      words: (mode) => [node, script("msal-node"), mode],
    },
    {
      name: "openid-client + file",
      registration: "usual",
      words: (mode) => [node, script("plain"), mode],
      cannotSignIn:
        "openid-client opens no browser and has no listener: both are the application's",
    },
  ];
}

/** @param {Client} client @param {string} latchkey @param {{ issuer: string, clientIds: Record<string, string> }} provider @returns {Desk} */
export function makeDesk(client, latchkey, provider) {
  const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
  const folder = join(home, "peer");
  mkdirSync(folder, { mode: 0o700 });
  const log = join(home, "windows.log");
  const browserCommand = `${process.execPath} ${browser} ${log}`;
  return {
    home,
    browserCommand,
    // Nothing of the caller's: NODE_OPTIONS and NODE_EXTRA_CA_CERTS change what a start of Node costs.
    environment: {
      PATH: process.env["PATH"] ?? "",
      HOME: home,
      BENCH_ISSUER: provider.issuer,
      BENCH_CLIENT_ID: provider.clientIds[client.registration] ?? "",
      BENCH_FOLDER: folder,
      BENCH_BROWSER: browserCommand,
      BENCH_LATCHKEY: pathToFileURL(join(latchkey, "dist", "index.js")).href,
    },
    windows: () => {
      try {
        return readFileSync(log, "utf8").split("\n").length - 1;
      } catch (error) {
        if (error.code === "ENOENT") return 0;
        throw error;
      }
    },
    remove: () => rmSync(home, { recursive: true, force: true }),
  };
}
