// What is loaded of the built package, counted in files and bytes: time is no test's. Changes when a budget does.

import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createHome, run } from "../../src/cli/testing.ts";
import { filesOfRefresh, maxBytes } from "./budgets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

function bytesOf(files: readonly string[]): number {
  return files.reduce((sum, file) => sum + statSync(file).size, 0);
}

/** A folder of programs that have the package installed, and the package there. */
let programs: string;
let library: string;

beforeAll(() => {
  if (!existsSync(join(root, "dist", "index.js"))) {
    throw new Error("nothing is built: npm run build");
  }
  programs = mkdtempSync(join(realpathSync(tmpdir()), "latchkey-loaded-"));
  writeFileSync(join(programs, "package.json"), '{ "type": "module" }');
  library = join(programs, "node_modules", "latchkey");
  mkdirSync(library, { recursive: true });
  cpSync(join(root, "package.json"), join(library, "package.json"));
  cpSync(join(root, "dist"), join(library, "dist"), { recursive: true });
});
afterAll(() => rmSync(programs, { recursive: true, force: true }));

test("the file of the warm command stays within its budget", () => {
  const { size } = statSync(join(library, "dist", "cli", "latchkey.cjs"));
  expect(size).toBeLessThanOrEqual(maxBytes.warmCommand);
});

/** Prints what is loaded: of Node, and which files. */
const tellLoaded = `
const filesLoaded = () => Object.keys(createRequire(import.meta.url).cache);`;

test("importing it loads one file of code, without the lexer that looks for names in CommonJS", () => {
  writeFileSync(
    join(programs, "files.js"),
    `import { createRequire } from "node:module";${tellLoaded}
    const before = new Set(process.moduleLoadList);
    const { OidcError } = await import("latchkey");
    const lexer = process.moduleLoadList.filter((name) => !before.has(name) && name.includes("lexer"));
    console.log(JSON.stringify({ lexer, files: filesLoaded(), name: OidcError.name }));`,
  );
  const said = JSON.parse(
    execFileSync(process.execPath, ["files.js"], { cwd: programs, encoding: "utf8" }),
  ) as {
    lexer: string[];
    files: string[];
    name: string;
  };
  expect(said).toMatchObject({ lexer: [], name: "OidcError" });
  expect(said.files.map((file) => file.replace(/-[\w-]{8}\.cjs$/, ""))).toEqual([
    join(library, "dist", "chunks", "library"),
  ]);
  expect(bytesOf(said.files)).toBeLessThanOrEqual(maxBytes.importing);
});

/** What the command line's refresh tells of itself when it ends, on standard error. */
const spy = `
const before = new Set(process.moduleLoadList);
process.on("exit", () => {
  const builtIn = process.moduleLoadList.filter((name) => !before.has(name));
  require("node:fs").writeSync(2, JSON.stringify({ builtIn, files: Object.keys(require.cache).slice(1) }));
});`;

test("importing latchkey/server loads two files of its own, and nothing of the client", () => {
  writeFileSync(
    join(programs, "server.js"),
    `import { createRequire } from "node:module";${tellLoaded}
    const before = new Set(process.moduleLoadList);
    const { createResourceServer } = await import("latchkey/server");
    createResourceServer({ issuer: "https://id.example.com", audience: "api" });
    const network = process.moduleLoadList.filter((name) => !before.has(name) && /NativeModule (https?|tls|net)$/.test(name));
    console.log(JSON.stringify({ network, files: filesLoaded() }));`,
  );
  const said = JSON.parse(
    execFileSync(process.execPath, ["server.js"], { cwd: programs, encoding: "utf8" }),
  ) as { network: string[]; files: string[] };
  expect(said.network).toEqual([]);
  expect(said.files.map((file) => basename(file).replace(/-[\w-]{8}\.cjs$/, ""))).toEqual([
    "server.cjs",
    "apart-server",
  ]);
  // As written, not minified.
  expect(bytesOf(said.files)).toBeLessThanOrEqual(maxBytes.importingServer);
});

/** What a program that refreshes at a server of our own comes to. */
async function refreshAt(more: {
  /** Of the cached sign-in. */
  readonly idToken?: string;
  readonly answer?: Readonly<Record<string, unknown>>;
  readonly onRequest?: () => void;
  /** The command line refreshes, and not a program with the library. */
  readonly byCommand?: true;
}): Promise<{ status: number | null; stdout: string; stderr: string; requests: number }> {
  const home = createHome();
  let requests = 0;
  const server = createServer((request, response) => {
    request.resume().once("end", () => {
      if (request.method !== "POST") {
        response.writeHead(404).end();
        return;
      }
      requests += 1;
      more.onRequest?.();
      response.setHeader("content-type", "application/json");
      const answer = { access_token: "renewed", token_type: "Bearer", expires_in: 3600 };
      response.end(JSON.stringify({ ...answer, ...more.answer }));
    });
  }).listen(0, "127.0.0.1");
  try {
    await once(server, "listening");
    const issuer = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
    const options = { issuer, clientId: "my-cli" };
    home.remember(options, {
      accessToken: {
        token: "old",
        tokenType: "Bearer",
        scopes: ["openid"],
        issuedAt: 1,
        expiresAt: 2,
      },
      refreshToken: "refresh",
      ...(more.idToken === undefined ? {} : { idToken: more.idToken }),
    });
    if (more.byCommand === true) {
      const preload = join(home.path, "spy.cjs");
      writeFileSync(preload, spy);
      const typed = ["token", `--issuer=${issuer}`, "--client-id=my-cli"];
      const command = join(library, "dist", "cli", "latchkey.cjs");
      const ended = await run(command, typed, { home, nodeArguments: ["--require", preload] });
      return { ...ended, requests };
    }
    writeFileSync(
      join(programs, "refresh.js"),
      `import { createRequire } from "node:module";${tellLoaded}
      import { OidcAuth } from "latchkey";
      const auth = new OidcAuth(${JSON.stringify(options)});
      const { token } = await auth.getToken({ interactive: false }).catch((error) => ({ token: error.code }));
      console.log(JSON.stringify({ token, files: filesLoaded() }));`,
    );
    return { ...(await run(join(programs, "refresh.js"), [], { home })), requests };
  } finally {
    server.close();
    home.remove();
  }
}

test("a refresh warns of nothing, and loads nothing of the sign-in", async () => {
  const { status, stdout, stderr } = await refreshAt({});
  // No ExperimentalWarning either, of a module that was loaded by `require`.
  expect([status, stderr]).toEqual([0, ""]);
  const { token, files } = JSON.parse(stdout) as { token: string; files: string[] };
  expect(token).toBe("renewed");
  const needless =
    /[\\/]chunks[\\/](ladder|browser|open-browser|pages|trust|client-credentials|userinfo|revoke|discovery|refusal|error-words|id-token|refreshed-id-token|token-answer-words)-/;
  expect(files.filter((file) => needless.test(file))).toEqual([]);
  const own = files.filter((file) => file.includes(join("latchkey", "dist")));
  expect(own.map((file) => basename(file)).join()).toMatch(/\bsession-/);
  // No package of anybody else's.
  expect(own).toHaveLength(files.length);
  // As written, not minified.
  expect(bytesOf(own)).toBeLessThanOrEqual(maxBytes.refreshByLibrary);
});

test("a refresh by the command line starts no loader of ES modules, and loads eight files", async () => {
  const { status, stdout, stderr } = await refreshAt({ byCommand: true });
  expect([status, stdout]).toEqual([0, "renewed\n"]);
  const { builtIn, files } = JSON.parse(stderr) as { builtIn: string[]; files: string[] };
  // From Node 24 on the loader of ES modules is part of a bare start.
  const needless =
    /modules\/esm\/|\b(perf_hooks|undici|tls|worker_threads|zlib|http2|stream\/web|webstreams)\b/;
  expect(builtIn.filter((name) => needless.test(name))).toEqual([]);
  // Neither what is shown to people nor what reads profiles.
  const loaded = files.map((file) => basename(file).replace(/(-[\w-]{8})?\.cjs$/, "")).toSorted();
  expect(loaded.join(" ")).toBe(filesOfRefresh);
  expect(bytesOf(files)).toBeLessThanOrEqual(maxBytes.refreshByCommand);
});

/** The chunk of a part, for a test that takes it away and brings it back. */
function chunkOf(part: string): { away(): void; back(): void } {
  const chunks = join(library, "dist", "chunks");
  const name = readdirSync(chunks).find((file) =>
    new RegExp(`^${part}-[\\w-]{8}\\.cjs$`).test(file),
  );
  if (name === undefined) throw new Error(`there is no chunk of ${part}`);
  const [path, elsewhere] = [join(chunks, name), join(programs, name)];
  return { away: () => renameSync(path, elsewhere), back: () => renameSync(elsewhere, path) };
}

test("[F-T1] what an ID token is checked with is loaded before the refresh token is used up", async () => {
  const idToken = [{ alg: "RS256" }, { iss: "x", sub: "alice", aud: "my-cli", exp: 2, iat: 1 }, 0]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const part = chunkOf("refreshed-id-token");
  part.away();
  try {
    const { stdout, requests } = await refreshAt({ idToken });
    expect([(JSON.parse(stdout) as { token: string }).token, requests]).toEqual([
      "runtime_unavailable",
      0,
    ]);
  } finally {
    part.back();
  }
});

test("[F-T1] an ID token that nobody expected costs nothing where it cannot be checked", async () => {
  const part = chunkOf("refreshed-id-token");
  try {
    const { stdout, stderr, requests } = await refreshAt({
      answer: { id_token: "a.b.c" },
      onRequest: () => part.away(),
    });
    expect([(JSON.parse(stdout) as { token: string }).token, requests]).toEqual(["renewed", 1]);
    expect(stderr).toContain("its ID token could not be verified and was dropped");
  } finally {
    part.back();
  }
});

test("a program that is bundled with it needs no package beside itself", async () => {
  const bundled = join(programs, "bundled");
  writeFileSync(
    join(programs, "program.js"),
    `import { isOidcError, memoryStore, OidcAuth } from "latchkey";
    const auth = new OidcAuth({ issuer: "https://id.example.com", clientId: "x", store: memoryStore() });
    const error = await auth.getToken({ interactive: false }).catch((reason) => reason);
    console.log(JSON.stringify([isOidcError(error), error.code]));`,
  );
  for (const codeSplitting of [true, false]) {
    const bundle = await rolldown({
      input: join(programs, "program.js"),
      cwd: programs,
      platform: "node",
    });
    const dir = join(bundled, codeSplitting ? "parts" : "whole");
    await bundle.write({ dir, format: "esm", entryFileNames: "[name].mjs", codeSplitting });
    await bundle.close();
    const { status, stdout, stderr } = spawnSync(process.execPath, ["program.mjs"], {
      cwd: dir,
      encoding: "utf8",
    });
    expect([status, stdout, stderr]).toEqual([0, '[true,"login_required"]\n', ""]);
  }
});
