// pip, uv and pnpm with one sign-in, each set up by `latchkey setup`: a package from an index that wants a token.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tellMissing } from "../support/debian-packages.ts";
import { hasPython, npmPackages, pythonPackages } from "../support/installed-once.ts";
import { startToolDesk, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startPackageServer, type ToolServer } from "../support/tool-servers.ts";

const versions = { pip: "26.3", uv: "0.13.9", pnpm: "12.4.2" };
/** The last one that asks for a password alone. */
const olderPip = "26.1";

const canInstall = hasPython();
if (!canInstall) tellMissing("no Python with venv (optional, Debian package python3-venv)");

let here: ToolDesk;
let server: ToolServer;
beforeAll(async () => {
  here = await startToolDesk();
  const wheel = join(here.home, "hello_dep-0.1.0-py3-none-any.whl");
  const script = `
import zipfile
with zipfile.ZipFile(${JSON.stringify(wheel)}, "w") as z:
    z.writestr("hello_dep.py", "")
    z.writestr("hello_dep-0.1.0.dist-info/METADATA", "Metadata-Version: 2.1\\nName: hello-dep\\nVersion: 0.1.0\\n")
    z.writestr("hello_dep-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
    z.writestr("hello_dep-0.1.0.dist-info/RECORD", "hello_dep.py,,\\nhello_dep-0.1.0.dist-info/METADATA,,\\nhello_dep-0.1.0.dist-info/WHEEL,,\\nhello_dep-0.1.0.dist-info/RECORD,,\\n")
`;
  const made = canInstall ? await here.run("python3", ["-c", script]) : undefined;
  if (made?.code !== 0) writeFileSync(wheel, "");
  mkdirSync(join(here.home, "package"));
  writeFileSync(
    join(here.home, "package", "package.json"),
    '{"name":"hello-dep","version":"0.1.0"}',
  );
  await here.run("tar", ["-czf", "hello-dep.tgz", "package"]);
  const read = (name: string): Buffer => readFileSync(join(here.home, name));
  server = await here.started(
    startPackageServer(here.identityProvider, {
      wheel: readFileSync(wheel),
      archive: read("hello-dep.tgz"),
    }),
  );
});
afterAll(() => here.close());

function setUp(...words: readonly string[]): Promise<Ran> {
  return here.run("latchkey", ["setup", ...words, "--profile", "work", "--yes"]);
}

/** PATH with the folder of the program keyring first, as the command tells it. */
function withKeyring({ output }: Ran): Readonly<Record<string, string>> {
  const [, folder = ""] = /put (\S+) first into it/.exec(output.replaceAll(/\n/g, " ")) ?? [];
  expect(existsSync(join(folder, "keyring"))).toBe(true);
  return { PATH: `${folder}:${here.environment["PATH"] ?? ""}` };
}

test.skipIf(!canInstall)(
  "pip and uv ask keyring, which gives nothing for another index",
  async () => {
    here.configure();
    const address = `http://${server.host}`;
    const environment = withKeyring(await setUp("pip", address));
    const [newer, older] = [
      await pythonPackages([`pip==${versions.pip}`, `uv==${versions.uv}`]),
      await pythonPackages([`pip==${olderPip}`]),
    ];
    const pip = (python: string, index: string, target: string): Promise<Ran> => {
      const quiet = ["--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir"];
      const from = ["--index-url", index, "--target", join(here.home, target), "hello-dep"];
      return here.run(python, ["-m", "pip", "install", ...quiet, ...from], environment);
    };
    expect(await pip(newer, `${address}/simple/`, "new")).toEqual({ code: 0, output: "" });
    // It asks for the password of a user alone.
    const withUser = `http://oauth2@${server.host}/simple/`;
    expect((await pip(older, withUser, "old")).code).toBe(0);
    expect(["new", "old"].map((name) => existsSync(join(here.home, name, "hello_dep.py")))).toEqual(
      [true, true],
    );
    const uv = join(dirname(newer), "uv");
    const words = ["pip", "install", "--quiet", "--no-cache", "--python", newer];
    const from = ["--index-url", withUser, "--target", join(here.home, "uv"), "hello-dep"];
    const byUv = await here.run(
      uv,
      [...words, "--keyring-provider", "subprocess", ...from],
      environment,
    );
    expect([byUv.code, existsSync(join(here.home, "uv", "hello_dep.py"))]).toEqual([0, true]);
    // Older ones try the user without a password first.
    expect([...server.tokens].filter((token) => token !== "")).toHaveLength(1);
    here.configure();
    const stranger = await pip(newer, `${address}/simple/`, "stolen");
    expect(stranger.code).not.toBe(0);
    expect(existsSync(join(here.home, "stolen", "hello_dep.py"))).toBe(false);
    expect((await here.run("latchkey", ["setup", "pip", "--undo", "--yes"])).code).toBe(0);
    expect(existsSync(join(environment["PATH"]?.split(":")[0] ?? "", "keyring"))).toBe(false);
    expect(existsSync(join(here.home, ".config", "pip", "pip.conf"))).toBe(false);
  },
  300_000,
);

test("pnpm runs its tokenHelper", async () => {
  here.configure();
  const modules = await npmPackages(`pnpm-${versions.pnpm}`, [`pnpm@${versions.pnpm}`]);
  const registry = `http://${server.host}/npm/`;
  expect((await setUp("pnpm", registry)).code).toBe(0);
  const project = join(here.home, "project");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), "{}");
  const pnpm = join(modules, ".bin", "pnpm");
  const line = `cd ${project} && exec ${pnpm} add hello-dep --registry=${registry}`;
  const added = await here.run("/bin/sh", ["-c", line], { npm_config_user_agent: "" });
  expect([added.code, added.output]).toEqual([0, expect.stringContaining("hello-dep") as string]);
  expect(server.log).toContain("GET /npm/hello-dep Bearer 200");
  await here.run("latchkey", ["setup", "pnpm", "--undo", "--yes"]);
  expect(existsSync(join(here.home, ".npmrc"))).toBe(false);
}, 300_000);
