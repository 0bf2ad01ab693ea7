// Changes when another way to a renewed token is worth comparing. Measures `latchkey token` where the cached token has ended.
//
//   node bench/refresh.mjs [--rounds N] [NODE …]
//
// NODE: further Node executables; each is compared with itself only. Build first. The provider is a server in this process
// that answers at once, so that what is measured is the client; beside it stand the bare requests that a client is made
// of, by Node's own fetch and by node:http.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFileFor, letters, recordFor } from "./cached-sign-in.mjs";
import { measureInTurns, tellMachine } from "./turns.mjs";

const { values, positionals } = parseArgs({
  options: { rounds: { type: "string", default: "30" } },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const isEnough = Number.isInteger(rounds) && rounds >= 5;
if (!isEnough) throw new Error("--rounds takes a whole number from 5");
const bin = fileURLToPath(new URL("../dist/cli/latchkey.cjs", import.meta.url));

let requests = 0;
const server = createServer((request, response) => {
  request.resume().once("end", () => {
    requests += 1;
    response.setHeader("content-type", "application/json");
    response.end(
      JSON.stringify({
        access_token: `${letters(1024)}${requests}`,
        refresh_token: `${letters(256)}${requests}`,
        token_type: "Bearer",
        expires_in: 3600,
      }),
    );
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
const address = server.address();
if (address === null || typeof address === "string") throw new Error("no port");
const issuer = `http://127.0.0.1:${address.port}`;
const tokenEndpoint = `${issuer}/token`;

const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const cache = join(home, ".local", "state", "latchkey");
mkdirSync(cache, { recursive: true, mode: 0o700 });
const options = { issuer, clientId: "bench-cli" };
const { name, text } = cacheFileFor(recordFor(options, { tokenEndpoint, isExpired: true }));

const form = '"grant_type=refresh_token&refresh_token=x&client_id=bench-cli"';
const headers = '{ "content-type": "application/x-www-form-urlencoded" }';
const byFetch = `fetch("${tokenEndpoint}", { method: "POST", headers: ${headers}, body: ${form} })
  .then((answer) => answer.json()).then((body) => console.log(body.access_token));`;
const byHttp = `const request = require("node:http").request("${tokenEndpoint}", { method: "POST", agent: false, headers: ${headers} },
  (answer) => { let text = ""; answer.on("data", (chunk) => (text += chunk)); answer.on("end", () => console.log(JSON.parse(text).access_token)); });
request.end(${form});`;

const commands = [
  { name: "node -e 0", args: ["-e", "0"], prints: 0 },
  { name: "node:http alone", args: ["-e", byHttp], prints: 1025 },
  { name: "fetch alone", args: ["-e", byFetch], prints: 1025 },
  {
    name: "latchkey token",
    args: [bin, "token", `--issuer=${issuer}`, "--client-id=bench-cli"],
    prints: 1025,
  },
];

/** Milliseconds from spawn to reaped. @param {string} node @param {typeof commands[number]} command */
async function time(node, { name: title, args, prints }) {
  writeFileSync(join(cache, name), text, { mode: 0o600 });
  const start = performance.now();
  const child = spawn(node, args, {
    env: { PATH: process.env["PATH"] ?? "", HOME: home },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
  const [status] = await once(child, "close");
  const milliseconds = performance.now() - start;
  if (status !== 0 || stdout.length < prints || stderr !== "") {
    throw new Error(`${node}, ${title}: status ${status}\n${stderr}`);
  }
  return milliseconds;
}

tellMachine(rounds);
try {
  for (const node of [process.execPath, ...positionals]) {
    await measureInTurns(node, commands, { rounds, time });
  }
} finally {
  server.close();
  rmSync(home, { recursive: true, force: true });
}
