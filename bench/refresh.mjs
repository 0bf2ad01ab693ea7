// Changes when another way to a renewed token is worth comparing. Measures `latchkey token` where the cached token has ended.
//
//   node bench/refresh.mjs [--rounds N] [--wall] [--address A] [--kubelogin PROGRAM] [NODE …]
//
// NODE: further Node executables; each is compared with itself only. Build first. The provider is a server in this process
// that answers at once, so that what is measured is the client; next to it stand the bare requests that a client is made
// of, by Node's own fetch, by node:http and by node:https. What is told is the processor's time, user and system, as bash
// counts it; with --wall, from start to end. By https: the server has a private authority (needs openssl); through a proxy:
// by CONNECT, at an address of this machine other than loopback, which is never proxied: the one named, or one found.
// kubelogin (https://github.com/int128/kubelogin), where its program is named, is no Node program: it is signed in once by
// the grant that needs no browser, and told to refresh in each run, which takes its ID token, discovery and key set.
import { execFileSync, spawn } from "node:child_process";
import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheFileFor, letters, recordFor } from "./cached-sign-in.mjs";
import { measureInTurns, tellMachine } from "./turns.mjs";

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: "string", default: "30" },
    wall: { type: "boolean", default: false },
    address: { type: "string" },
    kubelogin: { type: "string" },
  },
  allowPositionals: true,
});
const rounds = Number(values.rounds);
const isEnough = Number.isInteger(rounds) && rounds >= 5;
if (!isEnough) throw new Error("--rounds takes a whole number from 5");
const bin = fileURLToPath(new URL("../dist/cli/latchkey.cjs", import.meta.url));

const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
const cache = join(home, ".local", "state", "latchkey");
mkdirSync(cache, { recursive: true, mode: 0o700 });

const outside =
  values.address ??
  Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

const openssl = (/** @type {string[]} */ ...words) =>
  execFileSync("openssl", words, { cwd: home, stdio: ["ignore", "ignore", "pipe"] });
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
openssl(
  "req",
  "-x509",
  ...newKey,
  "-subj",
  "/CN=Bench root",
  "-keyout",
  "ca.key",
  "-out",
  "ca.pem",
);
openssl("req", ...newKey, "-subj", "/CN=bench", "-keyout", "leaf.key", "-out", "leaf.csr");
const names = ["127.0.0.1", ...(outside === undefined ? [] : [outside])].map((at) => `IP:${at}`);
writeFileSync(join(home, "leaf.ext"), `subjectAltName=${names.join()}\n`);
const signedBy = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "leaf.ext"];
openssl("x509", "-req", "-in", "leaf.csr", ...signedBy, "-out", "leaf.pem");
const bundle = join(home, "ca.pem");

const providerKeys = generateKeyPairSync("rsa", { modulusLength: 2048 });

/** An ID token as the provider signs it. @param {string} issuer */
function idToken(issuer) {
  const encoded = (/** @type {object} */ part) =>
    Buffer.from(JSON.stringify(part)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, sub: "anna", aud: "bench-cli", iat: now, exp: now + 3600 };
  const signed = `${encoded({ alg: "RS256", kid: "bench" })}.${encoded(claims)}`;
  return `${signed}.${sign("sha256", Buffer.from(signed), providerKeys.privateKey).toString("base64url")}`;
}

let requests = 0;
/** @type {import("node:http").RequestListener} */
const answer = (request, response) => {
  request.resume().once("end", () => {
    response.setHeader("content-type", "application/json");
    if (request.method === "GET") {
      // Of a first run over https:, which learns the roots that vouch for its endpoints.
      const at = `https://${request.headers.host}`;
      response.end(
        JSON.stringify({
          issuer: at,
          authorization_endpoint: `${at}/auth`,
          token_endpoint: `${at}/token`,
          jwks_uri: `${at}/keys`,
          response_types_supported: ["code"],
        }),
      );
      return;
    }
    requests += 1;
    response.end(
      JSON.stringify({
        access_token: `${letters(1024)}${requests}`,
        refresh_token: `${letters(256)}${requests}`,
        token_type: "Bearer",
        expires_in: 3600,
      }),
    );
  });
};
/** A provider that a client with an ID token can use. @type {import("node:http").RequestListener} */
const answerWithIdToken = (request, response) => {
  const issuer = `http://${request.headers.host}`;
  const documents = {
    "/.well-known/openid-configuration": {
      issuer,
      authorization_endpoint: `${issuer}/auth`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    },
    "/keys": { keys: [{ ...providerKeys.publicKey.export({ format: "jwk" }), kid: "bench" }] },
    "/token": {
      access_token: letters(1024),
      refresh_token: letters(256),
      token_type: "Bearer",
      expires_in: 3600,
      id_token: idToken(issuer),
    },
  };
  request.resume().once("end", () => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(documents[/** @type {"/keys"} */ (request.url)]));
  });
};
const plain = createServer(answer);
const withIdToken = createServer(answerWithIdToken);
const secure = createSecureServer(
  { key: readFileSync(join(home, "leaf.key")), cert: readFileSync(join(home, "leaf.pem")) },
  answer,
);
const proxy = createServer().on("connect", (request, client) => {
  const [host, port] = (request.url ?? "").split(":");
  const server = connect(Number(port), host, () => {
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    client.pipe(server).pipe(client);
  });
  server.on("error", () => client.destroy());
  client.on("error", () => server.destroy());
});
/** @param {import("node:net").Server} server @param {string} host */
async function portOf(server, host) {
  server.listen(0, host);
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
const everywhere = outside === undefined ? "127.0.0.1" : "0.0.0.0";
const issuer = `http://127.0.0.1:${await portOf(plain, "127.0.0.1")}`;
const securePort = await portOf(secure, everywhere);
const proxyPort = await portOf(proxy, "127.0.0.1");
const idTokenIssuer = `http://127.0.0.1:${await portOf(withIdToken, "127.0.0.1")}`;
const secureIssuer = `https://127.0.0.1:${securePort}`;

const form = '"grant_type=refresh_token&refresh_token=x&client_id=bench-cli"';
const headers = '{ "content-type": "application/x-www-form-urlencoded" }';
const byFetch = `fetch("${issuer}/token", { method: "POST", headers: ${headers}, body: ${form} })
  .then((answer) => answer.json()).then((body) => console.log(body.access_token));`;
/** @param {string} scheme @param {string} to @param {string} more */
const byHttp = (
  scheme,
  to,
  more = "",
) => `const request = require("node:${scheme}").request("${to}/token", { method: "POST", agent: false, headers: ${headers}${more} },
  (answer) => { let text = ""; answer.on("data", (chunk) => (text += chunk)); answer.on("end", () => console.log(JSON.parse(text).access_token)); });
request.end(${form});`;
const trusting = `, ca: require("node:fs").readFileSync(${JSON.stringify(bundle)})`;

/** `latchkey token` for an issuer whose cached token has ended. @param {string} name @param {string} from @param {Record<string, string>} env */
function renewal(name, from, env = {}) {
  const options = {
    issuer: from,
    clientId: "bench-cli",
    ...(from.startsWith("https:") ? { caCertPath: bundle } : {}),
  };
  const record = recordFor(options, { tokenEndpoint: `${from}/token`, isExpired: true });
  const flags = Object.entries({ LATCHKEY_ISSUER: from, LATCHKEY_CLIENT_ID: "bench-cli" });
  return {
    name,
    args: [bin, "token"],
    prints: 1025,
    record,
    env: {
      ...Object.fromEntries(flags),
      ...(from.startsWith("https:") ? { LATCHKEY_CA_CERT_PATH: bundle } : {}),
      ...env,
    },
  };
}

/** kubelogin, signed in by the grant that needs no browser. @param {string} program */
function kubelogin(program) {
  const args = [
    "get-token",
    `--oidc-issuer-url=${idTokenIssuer}`,
    "--oidc-client-id=bench-cli",
    `--token-cache-dir=${join(home, "kubelogin")}`,
  ];
  const signIn = ["--grant-type=password", "--username=anna", "--password=anna"];
  return { name: "kubelogin", program, args: [...args, ...signIn, "--force-refresh"], prints: 100 };
}

/** @type {{ name: string, program?: string, args: string[], prints: number, record?: ReturnType<typeof recordFor>, env?: Record<string, string> }[]} */
const commands = [
  { name: "node -e 0", args: ["-e", "0"], prints: 0 },
  { name: "node:http alone", args: ["-e", byHttp("http", issuer)], prints: 1025 },
  {
    name: "node:https, private CA",
    args: ["-e", byHttp("https", secureIssuer, trusting)],
    prints: 1025,
  },
  { name: "fetch alone", args: ["-e", byFetch], prints: 1025 },
  renewal("latchkey token", issuer),
  renewal("… private CA", secureIssuer),
  ...(outside === undefined
    ? []
    : [
        renewal("… private CA, CONNECT", `https://${outside}:${securePort}`, {
          HTTPS_PROXY: `http://127.0.0.1:${proxyPort}`,
        }),
      ]),
  ...(values.kubelogin === undefined ? [] : [kubelogin(values.kubelogin)]),
];

// The times go to a file, since both outputs are the command's.
const timesFile = join(home, "times");
const timed = 'TIMEFORMAT="%R %U %S"; { time "$0" "$@" 2>&3; } 3>&2 2>"$TIMES"';

/** What a first run wrote of the roots that it trusts, by Node and command. @type {Map<string, object>} */
const learned = new Map();

/** Milliseconds of one run. @param {string} node @param {typeof commands[number]} command */
async function time(node, { name: title, program = node, args, prints, record, env }) {
  const known = learned.get(`${node} ${title}`);
  const file = record === undefined ? undefined : cacheFileFor({ ...record, ...known });
  if (file !== undefined) writeFileSync(join(cache, file.name), file.text, { mode: 0o600 });
  const child = spawn("bash", ["-c", timed, program, ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home, TIMES: timesFile, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (chunk) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk) => (stderr += chunk));
  const [status] = await once(child, "close");
  if (status !== 0 || stdout.length < prints || stderr !== "") {
    throw new Error(`${node}, ${title}: status ${status}\n${stderr}`);
  }
  if (file !== undefined && known === undefined) {
    const { records } = JSON.parse(readFileSync(join(cache, file.name), "utf8"));
    const { trustedRoots } = records[0];
    learned.set(`${node} ${title}`, trustedRoots === undefined ? {} : { trustedRoots });
  }
  const [wall = 0, user = 0, system = 0] = readFileSync(timesFile, "utf8").split(" ").map(Number);
  return (values.wall ? wall : user + system) * 1000;
}

tellMachine(rounds);
console.log(values.wall ? "from start to end" : "the processor's time");
try {
  for (const node of [process.execPath, ...positionals]) {
    await measureInTurns(node, commands, { rounds, time });
  }
} finally {
  for (const server of [plain, secure, proxy, withIdToken]) server.close();
  rmSync(home, { recursive: true, force: true });
}
