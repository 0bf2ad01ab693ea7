// What it costs to verify an access token, next to the signature alone and to what others take for it. Everything runs in
// short slices that take turns in random order; what is shown is the median over the rounds, and each ratio is of the same
// round. A token is a new string each time, as it is when it comes off the wire.
//
//   npm run build && node bench/verify.mjs [ROUNDS] [--distinct N] [--no-server]
//
// --distinct: how many different tokens are remembered at once (default 1000000: three minutes, 2 GiB; 0 leaves it out).

import { spawn } from "node:child_process";
import { generateKeyPairSync, sign, verify } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { JwtVerifier } from "aws-jwt-verify";
import { createVerifier } from "fast-jwt";
import { createLocalJWKSet, jwtVerify } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { createResourceServer, expressMiddleware } from "../dist/server.js";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    distinct: { type: "string", default: "1000000" },
    "no-server": { type: "boolean", default: false },
  },
});
const rounds = Number(positionals[0] ?? "41");
const tokensInSlice = 600;
const audience = "https://api.example.com";

/** @typedef {"RS256" | "ES256" | "EdDSA"} Algorithm */
/** @typedef {{ signed: Buffer, signature: Buffer, token: Buffer }} Made */
/** @typedef {import("node:crypto").KeyObject} KeyObject */

/** @type {Record<Algorithm, { publicKey: KeyObject, privateKey: KeyObject }>} */
const pairs = {
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: generateKeyPairSync("ed25519"),
};
const algorithms = /** @type {Algorithm[]} */ (Object.keys(pairs));
const digests = { RS256: "sha256", ES256: "sha256", EdDSA: null };
const jwks = {
  keys: algorithms.map((alg) => ({
    .../** @type {{ kty: string }} */ (pairs[alg].publicKey.export({ format: "jwk" })),
    alg,
    kid: alg,
    use: "sig",
  })),
};

const provider = createServer((_request, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(jwks));
}).listen(0, "127.0.0.1");
await once(provider, "listening");
const issuer = `http://127.0.0.1:${portOf(provider)}`;

/** @param {import("node:http").Server} server */
function portOf(server) {
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** @param {object} part */
const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
const groups = Array.from({ length: 12 }, (_none, index) => `group-${String(index)}`);

let made = 0;
/** A token that was never seen before. @param {Algorithm} alg @param {object} more @returns {Made} */
function make(alg, more = { groups }) {
  const now = Math.floor(Date.now() / 1000);
  made += 1;
  const claims = { iss: issuer, aud: audience, sub: "alice", iat: now, exp: now + 36_000 };
  const text = `${encode({ alg, kid: alg, typ: "at+jwt" })}.${encode({ ...claims, client_id: "cli", scope: "openid read", jti: String(made), ...more })}`;
  const signed = Buffer.from(text);
  const { privateKey } = pairs[alg];
  const jws = sign(digests[alg], signed, { key: privateKey, dsaEncoding: "ieee-p1363" });
  // The ceiling has the encoding that OpenSSL likes best, of a signature that is as good.
  const signature = alg === "ES256" ? sign("sha256", signed, privateKey) : jws;
  return { signed, signature, token: Buffer.from(`${text}.${jws.toString("base64url")}`) };
}

/** The checks, each made once for an algorithm, as in a server that has run for a while. @type {Record<string, (alg: Algorithm) => Promise<(one: string) => unknown>>} */
const contenders = {
  latchkey: async (alg) => {
    const server = createResourceServer({ issuer, jwksUri: `${issuer}/keys`, audience });
    await server.verify(make(alg).token.toString("latin1"));
    return (token) => server.verify(token);
  },
  jose: async (alg) => {
    const keys = createLocalJWKSet(jwks);
    return (token) =>
      jwtVerify(token, keys, { issuer, audience, algorithms: [alg], typ: "at+jwt" });
  },
  "fast-jwt": async (alg) => {
    const key = String(pairs[alg].publicKey.export({ format: "pem", type: "spki" }));
    return createVerifier({
      key,
      algorithms: [alg],
      allowedIss: issuer,
      allowedAud: audience,
      requiredClaims: ["exp"],
    });
  },
  "aws-jwt-verify": async () => {
    const verifier = JwtVerifier.create({ issuer, audience, jwksUri: `${issuer}/keys` });
    verifier.cacheJwks(jwks);
    return (token) => verifier.verifySync(token);
  },
  jsonwebtoken: async (alg) => {
    const key = pairs[alg].publicKey;
    const rules = { algorithms: [/** @type {"RS256"} */ (alg)], issuer, audience };
    return (token) => jsonwebtoken.verify(token, key, rules);
  },
};

/** @param {readonly number[]} numbers */
function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
}

/** @template Value @param {readonly Value[]} list */
function shuffled(list) {
  return list
    .map((each) => ({ each, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ each }) => each);
}

/** Microseconds of one call: by the clock, and of all processors. @param {number} calls @param {() => Promise<void>} work */
async function slice(calls, work) {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const wall = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { wall: (wall * 1000) / calls, cpu: (user + system) / calls };
}

/** @typedef {{ wall: number, cpu: number }} Cost */

/** Runs cases in turns. @param {Record<string, () => Promise<Cost>>} cases @param {() => void} [prepare] before each round @returns {Promise<Record<string, Cost[]>>} */
async function takeTurns(cases, prepare = () => undefined) {
  for (let warm = 0; warm < 5; warm += 1) {
    prepare();
    for (const run of Object.values(cases)) await run();
  }
  /** @type {Record<string, Cost[]>} */
  const costs = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    prepare();
    for (const [name, run] of shuffled(Object.entries(cases))) costs[name]?.push(await run());
  }
  return costs;
}

/** Prints what each costs, and its ratio to the base. @param {Record<string, Cost[]>} costs @param {string} base @param {boolean} [isSpeed] */
function print(costs, base, isSpeed = true) {
  const bases = costs[base] ?? [];
  for (const [name, each] of Object.entries(costs)) {
    const ratio = (/** @type {"wall" | "cpu"} */ by) =>
      median(
        each.map((cost, round) => {
          const floor = bases[round]?.[by] ?? Number.NaN;
          return isSpeed ? floor / cost[by] : cost[by] / floor;
        }),
      ).toFixed(isSpeed ? 2 : 1);
    const micro = (/** @type {"wall" | "cpu"} */ by) =>
      median(each.map((cost) => cost[by])).toFixed(2);
    console.log(
      `  ${name.padEnd(28)} ${micro("wall").padStart(9)} µs  × ${ratio("wall").padStart(6)}   processor time ${micro("cpu").padStart(9)} µs  × ${ratio("cpu").padStart(6)}`,
    );
  }
}

/** @param {Algorithm} alg */
async function firstSight(alg) {
  /** Made anew for each round, so that nobody has seen one of them. @type {Made[]} */
  let tokens = [];
  const prepare = () => {
    tokens = Array.from({ length: tokensInSlice }, () => make(alg));
  };
  const { publicKey } = pairs[alg];
  /** @type {Record<string, () => Promise<Cost>>} */
  const cases = {
    "crypto.verify": () =>
      slice(tokensInSlice, async () => {
        for (const { signed, signature } of tokens) {
          if (!verify(digests[alg], signed, publicKey, signature)) throw new Error("not verified");
        }
      }),
  };
  for (const [name, start] of Object.entries(contenders)) {
    if (name === "jsonwebtoken" && alg === "EdDSA") continue;
    const check = await start(alg);
    cases[name] = async () => {
      const texts = tokens.map(({ token }) => token.toString("latin1"));
      return slice(tokensInSlice, async () => {
        for (const text of texts) {
          const result = check(text);
          if (result instanceof Promise) await result;
        }
      });
    };
  }
  const costs = await takeTurns(cases, prepare);
  console.log(`${alg}, a token that was not seen before (${tokens[0]?.token.length} characters):`);
  print(costs, "crypto.verify");
}

/** @param {Algorithm} alg */
async function sameAgain(alg) {
  const { token } = make(alg);
  const known = await contenders["latchkey"]?.(alg);
  const jose = await contenders["jose"]?.(alg);
  const key = String(pairs[alg].publicKey.export({ format: "pem", type: "spki" }));
  const cached = createVerifier({
    key,
    cache: 1000,
    algorithms: [alg],
    allowedIss: issuer,
    allowedAud: audience,
  });
  const texts = (/** @type {number} */ length) =>
    Array.from({ length }, () => token.toString("latin1"));
  for (const text of texts(3)) await known?.(text);
  /** @param {number} calls @param {((one: string) => unknown) | undefined} check */
  const again = (calls, check) => async () => {
    const fresh = texts(calls);
    return slice(calls, async () => {
      for (const text of fresh) {
        const result = check?.(text);
        if (result instanceof Promise) await result;
      }
    });
  };
  console.log(`${alg}, the same token again:`);
  const costs = await takeTurns({
    latchkey: again(10_000, known),
    jose: again(tokensInSlice, jose),
    "fast-jwt with its cache": again(10_000, cached),
  });
  print(costs, "latchkey", false);
}

function collectGarbage() {
  const { setFlagsFromString } = createRequire(import.meta.url)("node:v8");
  setFlagsFromString("--expose-gc");
  createRequire(import.meta.url)("node:vm").runInNewContext("gc")();
}

/** @param {number} most */
async function manyDistinct(most) {
  console.log("EdDSA, tokens that were seen before, among as many as are remembered:");
  const sizes = [1, 1000, 100_000, 1_000_000].filter((size) => size <= most);
  const server = createResourceServer({
    issuer,
    jwksUri: `${issuer}/keys`,
    audience,
    rememberedTokens: most,
  });
  /** @type {Buffer[]} */
  const tokens = [];
  for (const size of sizes) {
    while (tokens.length < size) tokens.push(make("EdDSA", {}).token);
    for (let pass = 0; pass < 3; pass += 1) {
      for (const token of tokens) await server.verify(token.toString("latin1"));
    }
    const costs = [];
    for (let round = 0; round < rounds; round += 1) {
      const sample = Array.from(
        { length: 2000 },
        () => tokens[Math.floor(Math.random() * size)]?.toString("latin1") ?? "",
      );
      costs.push(
        await slice(sample.length, async () => {
          for (const text of sample) await server.verify(text);
        }),
      );
    }
    const micro = (/** @type {"wall" | "cpu"} */ by) =>
      median(costs.map((cost) => cost[by])).toFixed(2);
    collectGarbage();
    const mebibytes = (process.memoryUsage().heapUsed / 2 ** 20).toFixed(0);
    console.log(
      `  ${String(size).padStart(9)} ${micro("wall").padStart(9)} µs   processor time ${micro("cpu").padStart(9)} µs   ${mebibytes.padStart(6)} MiB of heap`,
    );
  }
}

/** Sends requests over 32 connections for as long as it is told to. */
const client = `
const { Agent, request } = require("node:http");
const [port, token, milliseconds] = process.argv.slice(1);
const agent = new Agent({ keepAlive: true, maxSockets: 32 });
const until = Date.now() + Number(milliseconds);
let answered = 0;
let running = 32;
const again = () => {
  if (Date.now() > until) {
    running -= 1;
    if (running === 0) { process.stdout.write(String(answered)); agent.destroy(); }
    return;
  }
  request({ port, agent, headers: { authorization: "Bearer " + token } }, (response) => {
    if (response.statusCode !== 200) throw new Error(String(response.statusCode));
    response.resume().once("end", () => { answered += 1; again(); });
  }).end();
};
for (let at = 0; at < 32; at += 1) again();`;

/** Processor time of a request to a server. @param {import("node:http").RequestListener} listener @param {Buffer} token @returns {Promise<Cost>} */
async function requests(listener, token) {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  const load = spawn(
    process.execPath,
    ["-e", client, String(portOf(server)), token.toString("latin1"), "400"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let text = "";
  load.stdout.on("data", (data) => void (text += String(data)));
  const cost = await slice(1, async () => void (await once(load, "close")));
  server.close();
  const answered = Number(text);
  return { wall: cost.wall / answered, cpu: cost.cpu / answered };
}

async function servers() {
  const { token } = make("RS256");
  const guard = expressMiddleware(
    createResourceServer({ issuer, jwksUri: `${issuer}/keys`, audience }),
  );
  console.log("a server of node:http, by the processor time of a request:");
  const costs = await takeTurns({
    "without a check": () => requests((_request, response) => void response.end("hello"), token),
    "with expressMiddleware": () =>
      requests(
        (request, response) => guard(request, response, () => void response.end("hello")),
        token,
      ),
  });
  const [bare = [], guarded = []] = Object.values(costs);
  const micro = (/** @type {Cost[]} */ each) => median(each.map(({ cpu }) => cpu)).toFixed(1);
  const ratio = median(guarded.map(({ cpu }, round) => cpu / (bare[round]?.cpu ?? Number.NaN)));
  console.log(
    `  ${micro(bare)} µs without a check, ${micro(guarded)} µs with one: × ${ratio.toFixed(2)}`,
  );
}

console.log(`Node ${process.versions.node}, medians of ${rounds} rounds`);
for (const alg of algorithms) await firstSight(alg);
for (const alg of algorithms) await sameAgain(alg);
if (!values["no-server"]) await servers();
if (Number(values.distinct) > 0) await manyDistinct(Number(values.distinct));
provider.close();
