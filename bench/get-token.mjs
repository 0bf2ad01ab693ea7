// What a warm `getToken()` costs within a program, over a function that looks at the clock and gives what it has kept.
//
//   npm run build && node bench/get-token.mjs
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OidcCredentialsAuth } from "../dist/index.js";

const rounds = 9;
const sliceMilliseconds = 100;

const home = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
process.env["XDG_STATE_HOME"] = home;
const server = createServer((request, response) => {
  request.resume().once("end", () => {
    response.setHeader("content-type", "application/json");
    response.end('{"access_token":"bench","token_type":"Bearer","expires_in":3600}');
  });
}).listen(0, "127.0.0.1");
await new Promise((resolve) => void server.once("listening", () => resolve(undefined)));
const address = server.address();
const issuer = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`;
const auth = new OidcCredentialsAuth({
  issuer,
  clientId: "bench",
  clientSecret: "bench",
  tokenEndpoint: `${issuer}/token`,
});

const kept = { token: await auth.getToken(), until: Date.now() + 3600_000 };
const { signal } = new AbortController();
const cases = {
  "bare memo": async () => (Date.now() < kept.until ? kept.token : undefined),
  "getToken()": () => auth.getToken(),
  "getToken({ minValiditySeconds })": () => auth.getToken({ minValiditySeconds: 30 }),
  "getToken({ signal })": () => auth.getToken({ signal }),
};

/** Nanoseconds of one call. @param {() => Promise<unknown>} call */
async function slice(call) {
  const start = performance.now();
  let calls = 0;
  while (performance.now() - start < sliceMilliseconds) {
    for (let at = 0; at < 1000; at += 1) await call();
    calls += 1000;
  }
  return ((performance.now() - start) / calls) * 1e6;
}

/** @type {Map<string, { nanoseconds: number[], ratios: number[] }>} */
const results = new Map(Object.keys(cases).map((name) => [name, { nanoseconds: [], ratios: [] }]));
for (const call of Object.values(cases)) await slice(call);
for (let round = 0; round < rounds; round += 1) {
  const floor = await slice(cases["bare memo"]);
  for (const [name, call] of Object.entries(cases)) {
    const nanoseconds = await slice(call);
    results.get(name)?.nanoseconds.push(nanoseconds);
    results.get(name)?.ratios.push(nanoseconds / floor);
  }
}
/** @param {number[]} numbers */
const median = (numbers) =>
  numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
console.log(`${process.version}, ${rounds} rounds`);
for (const [name, { nanoseconds, ratios }] of results) {
  console.log(
    `  ${name.padEnd(34)} ${median(nanoseconds).toFixed(0).padStart(5)} ns   × ${median(ratios).toFixed(2)}`,
  );
}
server.close();
await auth.close();
rmSync(home, { recursive: true });
