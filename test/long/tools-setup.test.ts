// `latchkey setup TOOL` with the tools themselves: they take their tokens from here, `latchkey doctor` agrees, and taken
// back every file is what it was.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeCertificateAuthority } from "../support/certificates.ts";
import { needs } from "../support/debian-packages.ts";
import { latchkeyLine, noTerminal, startOnTerminal } from "../support/terminal-process.ts";
import { startToolDesk, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startApiServer, startGitServer, startProviderRegistry } from "../support/tool-servers.ts";

const git = needs("git");
const kubectl = needs("kubectl");
const terraform = needs("terraform");

let here: ToolDesk;
beforeAll(async () => {
  here = await startToolDesk();
});
afterAll(() => here.close());

function latchkey(...words: readonly string[]): Promise<Ran> {
  return here.run("latchkey", words);
}

/** A file of the home folder as somebody wrote it, with a mode of its own. */
function write(path: string, text: string, mode: number): () => readonly [string, number] {
  const file = join(here.home, path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, text);
  chmodSync(file, mode);
  return () => [readFileSync(file, "utf8"), statSync(file).mode & 0o777];
}

const configuration = ".config/latchkey/config.toml";

function rows(): string {
  return readFileSync(join(here.home, configuration), "utf8");
}

async function expectGreen(tool: string): Promise<void> {
  const { code, output } = await latchkey("doctor", tool);
  expect([code, output]).toEqual([0, expect.stringMatching(/^ok .*\n(?:skipped .*\n)?\nNo check/)]);
}

test.skipIf(!git.available)("git", async () => {
  const repositories = join(here.home, "repositories");
  await here.run("git", ["init", "-q", "--bare", join(repositories, "a.git")]);
  const server = await here.started(startGitServer(here.identityProvider, repositories));
  here.configure();
  const rowsBefore = rows();
  const text = "[user]\n\tname = Alice\n[credential]\n\thelper = store";
  const real = write("dotfiles/gitconfig", text, 0o644);
  symlinkSync(join(here.home, "dotfiles", "gitconfig"), join(here.home, ".gitconfig"));
  const address = `http://${server.host}`;
  const unasked = await latchkey("setup", "git", address, "--profile", "work");
  expect([unasked.code, unasked.output]).toEqual([
    2,
    expect.stringMatching(/helper = latchkey[^]*nothing was changed.*--yes\. \[invalid_option\]/),
  ]);
  expect([real(), rows()]).toEqual([[text, 0o644], rowsBefore]);
  expect((await latchkey("setup", "git", address, "--profile", "work", "--yes")).code).toBe(0);
  // Behind the link, which stays.
  expect(real()).toEqual([expect.stringContaining(`${text}\n[credential "${address}"]`), 0o644]);
  await expectGreen("git");
  const cloned = await here.run("git", ["clone", "-q", `${address}/a.git`, join(here.home, "a")]);
  expect([cloned.code, server.tokens.size]).toEqual([0, 1]);
  const again = await latchkey("setup", "git", address, "--profile", "work", "--yes");
  expect(again.output).toMatch(/is set up already/);
  // Written by git meanwhile.
  await here.run("git", ["config", "--global", "user.email", "alice@example.test"]);
  expect(await latchkey("setup", "git", "--undo", "--yes")).toEqual({
    code: 0,
    output: expect.stringContaining("Taken out.") as string,
  });
  const withEmail = text.replace("Alice", "Alice\n\temail = alice@example.test");
  expect([real()[0], rows()]).toEqual([`${withEmail}\n`.replace(/\n$/, ""), rowsBefore]);
  const none = await latchkey("setup", "git", "--undo", "--yes");
  expect([none.code, none.output]).toEqual([2, expect.stringContaining("has written nothing")]);
});

test.skipIf(!kubectl.available)("kubectl", async () => {
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const api = await here.started(startApiServer(here.identityProvider, authority));
  here.configure();
  const file = write(
    ".kube/config",
    `apiVersion: v1
kind: Config
# the one behind the VPN
clusters:
  - name: c
    cluster: { server: "https://${api.host}", certificate-authority: "${authority.caPath}" }
contexts:
  - context:
      cluster: c
      user: nobody # yet
    name: x
current-context: x
users:
  - name: nobody
    user:
      token: secret`,
    0o600,
  );
  const before = file();
  expect((await latchkey("setup", "kubectl", "--profile", "work", "--yes")).code).toBe(0);
  await expectGreen("kubectl");
  const pods = await here.run("kubectl", ["get", "pods"]);
  expect(pods).toEqual({ code: 0, output: "No resources found in default namespace.\n" });
  const [ours] = file();
  expect(readFileSync(join(here.home, ".local/state/latchkey/setup.json"), "utf8")).not.toContain(
    "secret",
  );
  expect((await latchkey("setup", "kubectl", "--undo", "--yes")).code).toBe(0);
  expect(file()).toEqual(before);
  // kubectl writes the whole file anew, and sorts it.
  await latchkey("setup", "kubectl", "--profile", "work", "--yes");
  expect(file()[0]).toBe(ours);
  await here.run("kubectl", ["config", "set-context", "x", "--namespace=n"]);
  await here.run("kubectl", ["config", "set-credentials", "another", "--token=t"]);
  expect((await latchkey("setup", "kubectl", "--undo", "--yes")).code).toBe(0);
  const [left] = file();
  expect(left).not.toContain("latchkey-work");
  const view = await here.run("kubectl", ["config", "view", "-o", "jsonpath={.contexts}{.users}"]);
  expect(view.output).toMatch(/"namespace":"n","user":"nobody".*another.*nobody/);
});

test.skipIf(!kubectl.available)("kubectl: two contexts that share a user", async () => {
  here.configure();
  const context = (name: string): string =>
    `- context:\n    cluster: c\n    user: nobody\n  name: ${name}\n`;
  const text = `apiVersion: v1\nkind: Config\ncontexts:\n${context("x")}${context("second")}`;
  const file = write(".kube/config", text, 0o600);
  for (const name of ["x", "second"]) {
    const words = ["setup", "kubectl", name, "--profile", "work", "--yes"];
    expect((await latchkey(...words)).code).toBe(0);
  }
  const both = file()[0];
  expect((await latchkey("setup", "kubectl", "x", "--undo", "--yes")).code).toBe(0);
  // The user stays for the other one.
  expect(file()[0]).toBe(both.replace("user: latchkey-work", "user: nobody"));
  expect((await latchkey("setup", "kubectl", "--undo", "--yes")).code).toBe(0);
  expect(file()[0]).toBe(text);
  // A context that was given one profile and then another comes back through both.
  await latchkey("setup", "kubectl", "x", "--profile", "work", "--yes");
  await latchkey("setup", "kubectl", "x", "--profile", "kube", "--yes");
  expect(file()[0]).toContain("user: latchkey-kube");
  expect((await latchkey("setup", "kubectl", "--undo", "--yes")).code).toBe(0);
  expect(file()[0]).toBe(text);
});

test.skipIf(!terraform.available)("terraform", async () => {
  const authority = await makeCertificateAuthority();
  onTestFinished(() => authority.dispose());
  const server = await here.started(startProviderRegistry(here.identityProvider, authority));
  here.configure();
  // It takes no address for the name of a registry.
  const host = `localhost:${String(server.port)}`;
  const file = write(".terraformrc", "disable_checkpoint = true\n", 0o644);
  const setUp = ["setup", "terraform", host, "--profile", "work", "--yes"];
  expect((await latchkey(...setUp)).code).toBe(0);
  // Of another host, which the same lines serve.
  const other = await latchkey("setup", "terraform", "t.example.com", "--profile", "work", "--yes");
  expect(other.output).not.toContain("credentials_helper");
  const source = `required_providers {\n b = { source = "${host}/a/b" }\n }\n`;
  write("terraform/main.tf", `terraform {\n ${source}}\n`, 0o644);
  const init = await here.run(
    "/bin/sh",
    ["-c", `cd ${join(here.home, "terraform")} && exec terraform init -input=false -no-color`],
    { SSL_CERT_FILE: authority.caPath },
  );
  expect([init.code, init.output]).toEqual([1, expect.stringContaining("was not found in any")]);
  expect(server.log).toEqual([
    "GET /.well-known/terraform.json Bearer 200",
    "GET /v1/providers/a/b/versions Bearer 200",
  ]);
  const link = join(here.home, ".terraform.d/plugins/terraform-credentials-latchkey");
  expect((await latchkey("setup", "terraform", host, "--undo", "--yes")).code).toBe(0);
  expect([file()[0].includes("latchkey"), existsSync(link)]).toEqual([true, true]);
  expect((await latchkey("setup", "terraform", "--undo", "--yes")).code).toBe(0);
  expect([file()[0], existsSync(link)]).toEqual(["disable_checkpoint = true\n", false]);
});

test("docker, and a file that somebody has changed in our very lines", async () => {
  here.configure();
  const rowsBefore = rows();
  const text = '{"auths":{"a.example.com":{"auth":"c2VjcmV0"}}}';
  const file = write("docker/config.json", text, 0o640);
  const docker = (...words: readonly string[]): Promise<Ran> =>
    here.run("latchkey", ["setup", "docker", ...words, "--yes"], {
      DOCKER_CONFIG: join(here.home, "docker"),
    });
  expect((await docker("registry.example.com", "--profile", "work")).code).toBe(0);
  expect(file()).toEqual([
    '{"auths":{"a.example.com":{"auth":"c2VjcmV0"}}, "credHelpers": { "registry.example.com": "latchkey" }}',
    0o640,
  ]);
  const green = await here.run("latchkey", ["doctor", "docker"], {
    DOCKER_CONFIG: join(here.home, "docker"),
  });
  expect([green.code, green.output]).toEqual([0, expect.stringMatching(/^ok /)]);
  const theirs = file()[0].replace('"latchkey"', '"pass"');
  write("docker/config.json", theirs, 0o640);
  const told = await docker("--undo");
  expect([told.code, told.output]).toEqual([1, expect.stringMatching(/config\.json were changed/)]);
  expect([file()[0], rows()]).toEqual([theirs, rowsBefore]);
  write("docker/config.json", theirs.replace('"pass"', '"latchkey"'), 0o640);
  expect((await docker("--undo")).code).toBe(0);
  expect(file()[0]).toBe(text);
});

test.skipIf(noTerminal !== undefined)("on a terminal a person is asked, twice", async () => {
  here.configure();
  const rowsBefore = rows();
  const words = ["setup", "docker", "asked.example.com", "--profile", "work"];
  const answered = async (text: string, more: readonly string[] = []): Promise<string> => {
    const terminal = startOnTerminal(latchkeyLine([...words, ...more]), { home: here.home });
    await terminal.until(/\[y\/N\] $/);
    terminal.child.stdin?.write(`${text}\n`);
    const [, status = ""] = await terminal.until(/status=(\d+)/);
    return `${status} ${terminal.output()}`;
  };
  expect(await answered("")).toMatch(
    /^1 [^]*asked\.example\.com[^]*Nothing was changed. \[aborted\]/,
  );
  expect(rows()).toBe(rowsBefore);
  expect(await answered("y")).toMatch(/^0 [^]*Written\./);
  expect(rows()).toContain("asked.example.com");
  expect(await answered("n", ["--undo"])).toMatch(/^1 /);
  expect(rows()).toContain("asked.example.com");
  expect(await answered("yes", ["--undo"])).toMatch(/^0 [^]*Taken out\./);
  expect(rows()).toBe(rowsBefore);
});

test("a host that two tools name keeps its row until the last of them is taken back", async () => {
  here.configure();
  const rowsBefore = rows();
  await latchkey("setup", "git", "both.example.com", "--profile", "work", "--yes");
  await latchkey("setup", "docker", "both.example.com", "--profile", "work", "--yes");
  await latchkey("setup", "git", "both.example.com", "--undo", "--yes");
  expect(rows()).toContain('[server."both.example.com"]');
  await latchkey("setup", "docker", "--undo", "--yes");
  expect(rows()).toBe(rowsBefore);
});

test.each([
  ["no profile", ["setup", "git", "git.example.com"], /profile/],
  ["no host", ["setup", "git", "--profile", "work"], /latchkey setup git HOST/],
  ["http elsewhere", ["setup", "git", "http://git.example.com", "--profile", "work"], /http:/],
  ["options", ["setup", "git", "g.example.com", "--flow", "device"], /from a profile/],
  ["a flag of tools", ["setup", "--undo"], /latchkey setup TOOL/],
  ["another tool", ["setup", "svn"], /There is no tool svn/],
])("refused: %s", async (_what, words, said) => {
  here.configure();
  const { code, output } = await latchkey(...words);
  expect([code, output]).toEqual([2, expect.stringMatching(said)]);
});

test("a file that cannot be read is refused, and nothing is written", async () => {
  here.configure();
  const rowsBefore = rows();
  const broken = write("broken/config.json", '{ "auths": ', 0o600);
  const refused = await here.run(
    "latchkey",
    ["setup", "docker", "registry.example.com", "--profile", "work", "--yes"],
    { DOCKER_CONFIG: join(here.home, "broken") },
  );
  expect([refused.code, refused.output]).toEqual([
    2,
    expect.stringMatching(/not a JSON object.*Correct it/),
  ]);
  expect([broken()[0], rows()]).toEqual(['{ "auths": ', rowsBefore]);
});
