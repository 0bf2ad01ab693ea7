// Registries with one sign-in: container images by skopeo, crates by cargo.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { freePort } from "../support/free-port.ts";
import { needs } from "../support/debian-packages.ts";
import { linesOfPage, startToolDesk, type ToolDesk } from "../support/tool-desk.ts";
import { startCrateServer, startRegistryRealm } from "../support/tool-servers.ts";

const skopeo = needs("skopeo");
const registry = needs("dockerRegistry");
const cargo = needs("cargo");

let here: ToolDesk;
beforeAll(async () => {
  here = await startToolDesk();
});
afterAll(() => here.close());

const registryHere = skopeo.available && registry.available;

test.skipIf(!registryHere)("skopeo pushes to a registry and reads from it", async () => {
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const realm = await here.started(startRegistryRealm(here.identityProvider, authority));
  const port = await freePort();
  const host = `127.0.0.1:${String(port)}`;
  const strangerPort = await freePort();
  const stranger = `127.0.0.1:${String(strangerPort)}`;
  const bundle = join(here.home, "realm.pem");
  writeFileSync(bundle, authority.certificate);
  const serve = async (at: number): Promise<() => void> => {
    const file = join(here.home, `registry-${String(at)}.yml`);
    writeFileSync(
      file,
      `version: 0.1
log: {level: error}
storage: {filesystem: {rootdirectory: ${here.home}/images-${String(at)}}}
http: {addr: "127.0.0.1:${String(at)}"}
auth: {token: {realm: "http://${realm.host}/token", service: tests, issuer: realm, rootcertbundle: ${bundle}}}
`,
    );
    const child = spawn("docker-registry", ["serve", file], { stdio: "ignore" });
    const answers = (): Promise<unknown> =>
      fetch(`http://127.0.0.1:${String(at)}/v2/`).catch(() => undefined);
    while ((await answers()) === undefined) await pause(50);
    return () => void child.kill();
  };
  const stops = [await serve(port), await serve(strangerPort)];
  try {
    here.configure();
    mkdirSync(join(here.home, ".docker"));
    writeFileSync(
      join(here.home, ".docker", "config.json"),
      linesOfPage("credHelpers").replace("registry.example.com:5000", stranger),
    );
    const setUp = ["setup", "docker", `http://${host}`, "--profile", "work", "--yes"];
    expect((await here.run("latchkey", setUp)).code).toBe(0);
    writeImage(join(here.home, "image"));
    const insecure = ["--insecure-policy"];
    const pushed = await here.run("skopeo", [
      ...insecure,
      "copy",
      "-q",
      "--dest-tls-verify=false",
      `oci:${here.home}/image:v1`,
      `docker://${host}/hello:v1`,
    ]);
    expect(pushed).toEqual({ code: 0, output: "" });
    const read = await here.run("skopeo", [
      "inspect",
      "--raw",
      "--tls-verify=false",
      `docker://${host}/hello:v1`,
    ]);
    expect([read.code, read.output]).toEqual([
      0,
      expect.stringContaining("schemaVersion") as string,
    ]);
    const before = realm.tokens.size;
    expect(before).toBe(1);
    const other = await here.run("skopeo", [
      "inspect",
      "--raw",
      "--tls-verify=false",
      `docker://${stranger}/hello:v1`,
    ]);
    expect(other.code).not.toBe(0);
    expect(realm.log.at(-1)).toMatch(/ none 401$/);
  } finally {
    for (const stop of stops) stop();
  }
});

/** An image without layers (OCI image layout). */
function writeImage(folder: string): void {
  const blobs = join(folder, "blobs", "sha256");
  mkdirSync(blobs, { recursive: true });
  const store = (value: unknown, mediaType: string): object => {
    const bytes = JSON.stringify(value);
    const digest = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, digest), bytes);
    return { mediaType, digest: `sha256:${digest}`, size: bytes.length };
  };
  const type = "application/vnd.oci.image";
  const config = store(
    { architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [] }, config: {} },
    `${type}.config.v1+json`,
  );
  const manifest = store(
    { schemaVersion: 2, mediaType: `${type}.manifest.v1+json`, config, layers: [] },
    `${type}.manifest.v1+json`,
  );
  const named = { ...manifest, annotations: { "org.opencontainers.image.ref.name": "v1" } };
  writeFileSync(
    join(folder, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [named] }),
  );
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
}

test.skipIf(!cargo.available)("cargo fetches from a registry that wants a token", async () => {
  const crate = join(here.home, "hello-dep-0.1.0");
  mkdirSync(join(crate, "src"), { recursive: true });
  writeFileSync(
    join(crate, "Cargo.toml"),
    '[package]\nname = "hello-dep"\nversion = "0.1.0"\nedition = "2021"\n',
  );
  writeFileSync(join(crate, "src", "lib.rs"), "");
  await here.run("tar", ["-czf", "hello-dep.crate", "hello-dep-0.1.0"]);
  const index = await here.started(
    startCrateServer(here.identityProvider, readFileSync(join(here.home, "hello-dep.crate"))),
  );
  here.configure(index);
  const project = join(here.home, "project");
  mkdirSync(join(project, "src"), { recursive: true });
  mkdirSync(join(project, ".cargo"));
  writeFileSync(join(project, "src", "lib.rs"), "");
  writeFileSync(
    join(project, "Cargo.toml"),
    '[package]\nname = "project"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nhello-dep = { version = "0.1", registry = "own" }\n',
  );
  writeFileSync(
    join(project, ".cargo", "config.toml"),
    linesOfPage("[registries.own]").replace("https://crates.example.com", `http://${index.host}`),
  );
  const fetched = await here.run("/bin/sh", ["-c", `cd ${project} && exec cargo fetch`], {
    CARGO_HOME: join(here.home, "cargo"),
    RUSTUP_HOME: process.env["RUSTUP_HOME"] ?? join(process.env["HOME"] ?? "", ".rustup"),
  });
  expect([fetched.code, fetched.output]).toEqual([
    0,
    expect.stringContaining("Downloaded hello-dep") as string,
  ]);
  expect(index.log).toContain("GET /dl/hello-dep/0.1.0 Bearer 200");
  // The same, set up: in the user's own configuration, which holds the index already.
  const home = join(here.home, "cargo-set-up");
  const environment = {
    CARGO_HOME: home,
    RUSTUP_HOME: process.env["RUSTUP_HOME"] ?? join(process.env["HOME"] ?? "", ".rustup"),
  };
  mkdirSync(home);
  const own = `[registries.own]\nindex = "sparse+http://${index.host}/index/"\n`;
  writeFileSync(join(home, "config.toml"), own);
  rmSync(join(project, ".cargo"), { recursive: true });
  here.configure();
  const setUp = ["setup", "cargo", "own", "--profile", "work", "--yes"];
  expect((await here.run("latchkey", setUp, environment)).code).toBe(0);
  const green = await here.run("latchkey", ["doctor", "cargo"], environment);
  expect([green.code, green.output]).toEqual([0, expect.stringMatching(/^ok /) as string]);
  const again = await here.run("/bin/sh", ["-c", `cd ${project} && exec cargo fetch`], environment);
  expect([again.code, again.output]).toEqual([
    0,
    expect.stringContaining("Downloaded hello-dep") as string,
  ]);
  expect(
    (await here.run("latchkey", ["setup", "cargo", "--undo", "--yes"], environment)).code,
  ).toBe(0);
  expect(readFileSync(join(home, "config.toml"), "utf8")).toBe(own);
});
