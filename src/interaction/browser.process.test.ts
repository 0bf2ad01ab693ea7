// What is started, with which words and environment: real processes, and played systems where this one is not meant.
// Changes when a rule of B01 to B11 does.
import { execFile } from "node:child_process";
import { existsSync, watch } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { bundleModule } from "../../test/support/bundle-module.ts";
import { playedSystem } from "../../test/support/played-system.ts";
import { createManualClock } from "../../test/support/manual-clock.ts";
import type { LatchkeyEvent } from "../core/events.ts";
import { browserSafeUrl, createBrowserLauncher } from "./browser.ts";
import type { BrowserLauncherOptions, BrowserSystem } from "./browser.ts";

const url = "https://id.example.com/authorize?response_type=code&state=s1&scope=openid+profile";
const opener = fileURLToPath(new URL("../../test/support/opener.mjs", import.meta.url));

let folder: string;
let report: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "latchkey browser "));
});
beforeEach(async () => {
  report = join(folder, "report of the opener.json");
  await rm(report, { force: true });
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

/** The stand-in browser as a command line, with every word in quotes. */
function standIn(...words: string[]): string {
  return [process.execPath, opener, report, ...words].map((word) => `"${word}"`).join(" ");
}

interface Report {
  words: string[];
  environment: Record<string, string>;
  pid: number;
}

async function readReport(): Promise<Report> {
  return JSON.parse(await readFile(report, "utf8")) as Report;
}

function launcher(options: Partial<BrowserLauncherOptions> = {}) {
  return createBrowserLauncher({
    environment: { PATH: process.env["PATH"] },
    platform: "linux",
    logger: undefined,
    ...options,
  });
}

const shellCorpus = [
  "$(touch CANARY)",
  "`touch CANARY`",
  "a&touch CANARY&b",
  "a|touch CANARY",
  "a;touch CANARY",
  "a\ntouch CANARY",
  "a\r\ntouch CANARY",
  `a"touch CANARY"`,
  "a'touch CANARY'",
  "a>CANARY",
  "%COMSPEC%",
  "%action",
  "%s",
  "$HOME ${IFS} \\ ^ {a,b} * ~",
];

test("what a shell would run stays text: the address is one argument [B01]", async () => {
  const open = launcher();
  const canary = join(folder, "canary");
  for (const text of shellCorpus) {
    const hostile = `https://id.example.com/a?x=${text.replace("CANARY", canary)}&y=1#${text}`;
    expect(await open(hostile, standIn())).toEqual({ opened: true });
    const { words } = await readReport();
    expect(words).toEqual([browserSafeUrl(hostile)]);
    expect(words[0]).toMatch(/^https:\/\/id\.example\.com\/a\?x=[^\s"'`$|<>\\^{}()]*$/u);
    // Whatever was escaped says the same to the server.
    expect(new URL(words[0] ?? "").searchParams.get("y")).toBe(
      new URL(hostile).searchParams.get("y"),
    );
  }
  expect(existsSync(canary)).toBe(false);
});

test("an ordinary address reaches the browser as it is [B04]", () => {
  const ordinary = `https://id.example.com:8443/o(auth)/a-b_c.d~e?${new URLSearchParams({ redirect_uri: "http://127.0.0.1:8765/callback", scope: "openid a/b:c*", state: "A-_" }).toString()}`;
  expect(browserSafeUrl(ordinary)).toBe(ordinary.replace("(", "%28").replace(")", "%29"));
  expect(browserSafeUrl("HTTPS://ID.Example.com/a/../b")).toBe("https://id.example.com/b");
});

test.for([
  "file:///etc/passwd",
  "javascript:alert(1)",
  "ms-msdt:/id",
  "http://id.example.com/authorize",
  "http://127.0.0.1.evil.example/",
  "//evil.example/share",
  "\\\\evil.example\\share",
  "-incognito",
  "--version",
  "%action",
  "https://user:password@id.example.com/",
  "",
  `https://id.example.com/${"x".repeat(9000)}`,
])("%s is not opened by anything [B03][B04]", async (refused) => {
  const system = playedSystem(["/usr/bin/xdg-open", "/bin/browser"]);
  const open = launcher({ system, environment: { DISPLAY: ":0", BROWSER: "/bin/browser" } });
  for (const command of [undefined, "/bin/browser"]) {
    expect(await open(refused, command)).toEqual({
      opened: false,
      problem: "the address is neither https nor http on this machine",
    });
  }
  expect(system.spawned).toEqual([]);
});

test.for(["http://127.0.0.1:9871/auth", "http://[::1]:9871/auth", "http://localhost:1/a"])(
  "%s is opened: it does not leave this machine [B03]",
  (loopback) => {
    expect(browserSafeUrl(loopback)).toBe(loopback);
  },
);

test.for([
  [{ SystemRoot: "D:\\Windows" }, "D:\\Windows\\System32\\rundll32.exe"],
  [{ SYSTEMROOT: "D:\\Windows" }, "D:\\Windows\\System32\\rundll32.exe"],
  [{ SystemRoot: ".\\here" }, "C:\\Windows\\System32\\rundll32.exe"],
  [{}, "C:\\Windows\\System32\\rundll32.exe"],
] as const)(
  "Windows: rundll32 by its full path, no shell [B02] %#",
  async ([environment, file]) => {
    const system = playedSystem([]);
    expect(await launcher({ system, environment, platform: "win32" })(url, undefined)).toEqual({
      opened: true,
    });
    expect(system.spawned).toMatchObject([
      { file, words: ["url.dll,FileProtocolHandler", url], options: { shell: false } },
    ]);
  },
);

test("Windows: batch files are never run [B02]", async () => {
  const files = ["C:\\tools\\open.cmd", "C:\\tools\\open.BAT", "C:\\tools\\open.exe"];
  const system = playedSystem(files);
  const open = launcher({ system, environment: { Path: "C:\\tools;.;here" }, platform: "win32" });
  for (const command of [`"${files[0]}"`, `"${files[1]}"`, "open.cmd"]) {
    expect(await open(url, command)).toMatchObject({ opened: false });
  }
  expect(system.spawned).toEqual([]);
  expect(await open(url, "open --new")).toEqual({ opened: true });
  expect(system.spawned).toMatchObject([{ file: files[2], words: ["--new", url] }]);
});

test("macOS: /usr/bin/open [B05]", async () => {
  const system = playedSystem(["/usr/bin/open"]);
  await launcher({ system, environment: { PATH: "." }, platform: "darwin" })(url, undefined);
  expect(system.spawned).toMatchObject([{ file: "/usr/bin/open", words: [url] }]);
});

test("a planted opener is not found: neither in the working directory nor by a relative PATH [B05]", async () => {
  const planted = join(folder, "xdg-open");
  await writeFile(planted, `#!/bin/sh\ntouch "${folder}/planted-ran"\n`);
  await chmod(planted, 0o755);
  const before = process.cwd();
  process.chdir(folder);
  try {
    for (const PATH of [".", "", ":", "bin:.", `relative:${folder}`]) {
      const real = playedSystem(["/usr/local/bin/xdg-open", planted, "./xdg-open", "xdg-open"]);
      const open = launcher({ system: real, environment: { PATH, DISPLAY: ":0" } });
      expect(await open(url, undefined)).toEqual({ opened: true });
      expect(real.spawned.map(({ file }) => file)).toEqual(["/usr/local/bin/xdg-open"]);
      // xdg-open itself looks for browsers in PATH.
      expect(real.spawned[0]?.options.env?.["PATH"]).toBe(PATH.includes(folder) ? folder : "");
    }
    const open = launcher({ environment: { PATH: ".::bin", DISPLAY: ":0" } });
    for (const command of ["xdg-open", "./xdg-open"]) {
      expect(await open(url, command)).toEqual({ opened: false, problem: "xdg-open not found" });
    }
    // A name is looked up in a folder of PATH; it does not lead out of it.
    const climbing = launcher({ environment: { PATH: "/usr/bin" } });
    expect(await climbing(url, `"../..${planted}"`)).toMatchObject({ opened: false });
  } finally {
    process.chdir(before);
  }
  expect(existsSync(join(folder, "planted-ran"))).toBe(false);
});

test("a command's own arguments come first, or around the address where one holds %s [B06]", async () => {
  const open = launcher();
  await open(url, standIn("--new window", "-P"));
  expect((await readReport()).words).toEqual(["--new window", "-P", url]);
  await open(url, standIn("--app=%s", "--last"));
  expect((await readReport()).words).toEqual([`--app=${url}`, "--last"]);
});

test("$BROWSER is a list: the first that works opens one tab, and the option wins over it [B06]", async () => {
  const failing = join(folder, "failing");
  await writeFile(failing, "#!/bin/sh\nexit 3\n");
  await chmod(failing, 0o755);
  const events: LatchkeyEvent[] = [];
  const open = launcher({
    environment: { PATH: "", BROWSER: `no-such-browser:"${failing}"::${standIn("second")}:third` },
    logger: (event) => events.push(event),
  });
  expect(await open(url, undefined)).toEqual({ opened: true });
  expect((await readReport()).words).toEqual(["second", url]);
  expect(events).toEqual([{ name: "browser.opened", data: { command: "node" } }]);
  await open(url, standIn("option"));
  expect((await readReport()).words).toEqual(["option", url]);
});

test("an opener that stays counts as opened [B07]", async () => {
  const clock = createManualClock();
  const opening = launcher({ clock })(url, standIn("--stay"));
  expect(await clock.nextSleep()).toBe(1000);
  await clock.advance(1000);
  expect(await opening).toEqual({ opened: true });
  process.kill((await untilReported()).pid);
});

async function untilReported(): Promise<Report> {
  const watching = new AbortController();
  const appeared = new Promise<void>((resolve) => {
    watch(folder, { signal: watching.signal }, () => {
      if (existsSync(report)) resolve();
    });
  });
  if (!existsSync(report)) await appeared;
  watching.abort();
  return readReport();
}

test("an opener that stays does not hold the process, and its noise stays its own [B07][B09]", async () => {
  const module = await bundleModule(
    fileURLToPath(new URL("../../test/support/browser-process.ts", import.meta.url)),
  );
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    module,
    url,
    standIn("--stay"),
  ]);
  const { pid } = await untilReported();
  // It outlives the process that started it.
  expect(process.kill(pid, 0)).toBe(true);
  process.kill(pid);
  expect([stdout, stderr]).toEqual([JSON.stringify({ opened: true }), ""]);
});

test("an opener that is absent or fails is named [B08]", async () => {
  const events: LatchkeyEvent[] = [];
  const open = launcher({ logger: (event) => events.push(event) });
  expect(await open(url, "/nowhere/browser")).toEqual({
    opened: false,
    problem: "browser not found",
  });
  expect(await open(url, standIn("--status", "4"))).toEqual({
    opened: false,
    problem: "node ended with status 4",
  });
  expect(await open(url, `"unclosed`)).toEqual({
    opened: false,
    problem: "browserCommand is empty or has an unclosed quote",
  });
  const broken = join(folder, "broken");
  await writeFile(broken, "#!/nowhere/interpreter\n");
  await chmod(broken, 0o755);
  expect(await open(url, `"${broken}"`)).toMatchObject({ opened: false });
  expect(events.map(({ name }) => name)).toEqual(Array(4).fill("browser.failed"));
  // A log may know why, never where to.
  expect(JSON.stringify(events)).not.toContain("state");
});

test.for([
  [{ SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" }, ["/.dockerenv"], "SSH session"],
  [{ SSH_TTY: "/dev/pts/1" }, [], "SSH session"],
  [{}, ["/.dockerenv"], "container"],
  [{}, ["/run/.containerenv"], "container"],
  [{}, [], "no display"],
  [{ DISPLAY: "" }, [], "no display"],
  [{ DISPLAY: ":0" }, [], "xdg-open not found"],
  [{ BROWSER: "no-such-browser" }, ["/.dockerenv"], "no-such-browser not found; container"],
  [{ BROWSER: "w3m" }, [], "w3m not found; no display"],
  [{ BROWSER: "w3m", DISPLAY: ":0" }, [], "w3m not found"],
] as const)("says what is missing: %j %j → %s [B08]", async ([environment, files, problem]) => {
  const withOpener = problem === "xdg-open not found" || problem === "w3m not found";
  const system = playedSystem([...files, ...(withOpener ? [] : ["/usr/bin/xdg-open"])]);
  expect(await launcher({ system, environment })(url, undefined)).toEqual({
    opened: false,
    problem,
  });
  expect(system.spawned).toEqual([]);
});

test("[F-S1] a page that is open by now is not opened once more, whatever the first program says", async () => {
  const failing = join(folder, "opens and fails");
  await writeFile(failing, "#!/bin/sh\nexit 3\n");
  await chmod(failing, 0o755);
  const open = launcher({
    environment: { PATH: "", BROWSER: `"${failing}":${standIn("second")}` },
  });
  expect(await open(url, undefined, () => true)).toEqual({ opened: true });
  expect(existsSync(report)).toBe(false);
});

test("with a display the opener is used, in an SSH session and a container too", async () => {
  for (const display of ["DISPLAY", "WAYLAND_DISPLAY"]) {
    const system = playedSystem(["/.dockerenv", "/usr/bin/gio"]);
    const environment = { [display]: "x", SSH_TTY: "/dev/pts/1" };
    expect(await launcher({ system, environment })(url, undefined)).toEqual({ opened: true });
    expect(system.spawned).toMatchObject([{ file: "/usr/bin/gio", words: ["open", url] }]);
  }
});

test("$BROWSER works without a display: an editor's remote window sets it so", async () => {
  const system = playedSystem(["/opt/editor/bin/open-here"]);
  const environment = { BROWSER: "/opt/editor/bin/open-here", SSH_TTY: "/dev/pts/1" };
  expect(await launcher({ system, environment })(url, undefined)).toEqual({ opened: true });
});

test("WSL: the Windows side opens it; without that side it is a Linux like any other", async () => {
  const version = { "/proc/version": "Linux version 6.6 (root@x) #1 Microsoft-standard-WSL2" };
  const rundll = "/mnt/c/Windows/System32/rundll32.exe";
  const system = playedSystem([rundll], version);
  expect(await launcher({ system, environment: {} })(url, undefined)).toEqual({ opened: true });
  expect(system.spawned).toMatchObject([
    { file: rundll, words: ["url.dll,FileProtocolHandler", url] },
  ]);
  const closed = playedSystem([], version);
  expect(await launcher({ system: closed, environment: {} })(url, undefined)).toEqual({
    opened: false,
    problem: "no display",
  });
});

test("the browser gets none of our secrets [B11]", async () => {
  const environment = {
    PATH: `.:${process.env["PATH"]}`,
    HOME: "/home/alice",
    LATCHKEY_CLIENT_SECRET: "secret-1",
    latchkey_access_token: "secret-2",
    NODE_OPTIONS: "--require=/tmp/x.cjs",
    NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
    UNSET: undefined,
  };
  await launcher({ environment })(url, standIn());
  const reported = await readReport();
  expect(Object.keys(reported.environment).toSorted()).toEqual([
    "HOME",
    "NODE_EXTRA_CA_CERTS",
    "PATH",
  ]);
  expect(reported.environment["PATH"]).toBe(
    (process.env["PATH"] ?? "")
      .split(":")
      .filter((part) => part.startsWith("/"))
      .join(":"),
  );
});

test("a system that cannot start anything is a problem, not an exception", async () => {
  const system: BrowserSystem = {
    ...playedSystem(["/usr/bin/xdg-open"]),
    spawn() {
      throw new Error("EAGAIN");
    },
  };
  const environment = { DISPLAY: ":0" };
  expect(await launcher({ system, environment })(url, undefined)).toEqual({
    opened: false,
    problem: "xdg-open could not be started",
  });
});
