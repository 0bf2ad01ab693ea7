// What a person reads and types during a sign-in. Changes when a text or a key does; captures are in __captures__.
import { expect, test } from "vitest";
import { OidcError } from "../core/errors.ts";
import type { WaitingForOtherEvent } from "../core/prompt.ts";
import {
  pastedAddress,
  redirectUri,
  scene,
  ssh,
  url,
  verificationUriComplete,
} from "../../test/support/terminal-scene.ts";
import type { TerminalRole } from "./foreground.ts";
import type { PlayedInput, Scene, SceneOptions } from "../../test/support/terminal-scene.ts";

const views: Readonly<Record<string, SceneOptions>> = {
  "80-columns": { columns: 80 },
  "40-columns": { columns: 40 },
  "no-terminal": { terminal: false, terminalInput: false },
};

async function waitFor(on: Scene, whom: Omit<WaitingForOtherEvent, "type">): Promise<void> {
  on.prompt({ type: "waitingForOther", ...whom });
  await on.clock.advance(300);
}

const everyText: readonly [string, SceneOptions, (on: Scene) => void | Promise<void>][] = [
  ["a desktop", {}, (on) => on.show({ browserOpened: true })],
  ["openBrowser: false", {}, (on) => on.show()],
  ["SSH", { environment: ssh }, (on) => on.show({ browserProblem: "SSH session" })],
  [
    "SSH, input not a terminal",
    { environment: ssh, terminalInput: false },
    (on) => on.show({ browserProblem: "SSH session" }),
  ],
  ["a container", {}, (on) => on.show({ browserProblem: "container" })],
  [
    "a container, input not a terminal",
    { terminalInput: false },
    (on) => on.show({ browserProblem: "container" }),
  ],
  [
    "SSH, a browser was started and has not come",
    { environment: ssh },
    (on) => {
      on.show({ browserOpened: true });
      on.show({ browserProblem: "nothing has opened so far" });
    },
  ],
  [
    "something is pasted, and it is another address",
    {},
    (on) => {
      on.show({ browserProblem: "no display" });
      on.stdin.type("https://id.example.com/elsewhere\r");
      on.stdin.type(pastedAddress.slice(0, 30));
    },
  ],
  [
    "another sign-in's address is pasted, then the right one",
    {},
    (on) => {
      on.show({ browserProblem: "no display" });
      on.stdin.type(`${redirectUri}?code=c&state=s0\r`);
      on.stdin.type(`${pastedAddress}\r`);
    },
  ],
  [
    "SSH, and the answer is posted: nothing to paste",
    { environment: ssh },
    (on) => on.show({ browserProblem: "SSH session", canPaste: false }),
  ],
  [
    "a container, and the answer is posted: nothing to paste",
    {},
    (on) => on.show({ browserProblem: "container", canPaste: false }),
  ],
  ["a device code", {}, (on) => on.showCode()],
  [
    "a device code with its complete address, chosen by auto",
    {},
    (on) =>
      on.showCode({
        verificationUriComplete,
        why: "id.example.com names no authorization endpoint, so you sign in with a code, on any device.",
      }),
  ],
  [
    "a device code in a browser that opened",
    {},
    (on) => on.showCode({ verificationUriComplete, browserOpened: true }),
  ],
  [
    "SSH, and a device code beside",
    { environment: ssh },
    (on) => {
      on.show({ browserProblem: "SSH session" });
      on.showCode({ besideBrowser: true });
    },
  ],
  [
    "a container, and a device code beside",
    {},
    (on) => {
      on.show({ browserProblem: "container" });
      on.showCode({ besideBrowser: true });
    },
  ],
  ["another process signs in", {}, (on) => waitFor(on, { processId: 4711, phase: "login" })],
  ["another process, unnamed, signs in", {}, (on) => waitFor(on, { phase: "login" })],
  [
    "another process renews the token",
    {},
    (on) => waitFor(on, { processId: 4_194_304, phase: "refresh" }),
  ],
  [
    "another sign-in of this program",
    {},
    (on) => waitFor(on, { processId: process.pid, phase: "login" }),
  ],
  [
    "a warning while a sign-in waits",
    {},
    (on) => {
      on.show({ browserOpened: true });
      on.prompt({
        type: "warning",
        code: "cache_write_failed",
        message: "The sign-in could not be kept: /home/alice is full. It lasts for this run only.",
      });
    },
  ],
];

test.for(Object.keys(views))("every text, as it stands with %s", async (view) => {
  const options = views[view] as SceneOptions;
  const parts: string[] = [];
  for (const [title, more, play] of everyText) {
    const on = scene({ ...more, ...options });
    await play(on);
    // Local time, wherever the tests run.
    const text = on.screen().replaceAll(/until \d\d:\d\d/gu, "until 15:42");
    on.prompt({ type: "settled" });
    parts.push(`--- ${title}\n${text}${text.endsWith("\n") ? "" : "\n"}`);
  }
  await expect(parts.join("\n")).toMatchFileSnapshot(`./__captures__/terminal-${view}.txt`);

  // Addresses and the command stand alone and whole; all else fits.
  const alone = /^(?:https:\/\/\S+|ssh -L \S+ \S+|http:\/\/\S+)$/u;
  const prose = parts
    .flatMap((part) => part.split("\n").slice(1))
    .filter((line) => !alone.test(line));
  expect(Math.max(...prose.map((line) => line.length))).toBeLessThanOrEqual(
    options.columns ?? Number.POSITIVE_INFINITY,
  );
});

test("the address stands whole and alone on its line, without punctuation, at any width", () => {
  for (const columns of [1, 20, 40, 80, 200]) {
    for (const browserProblem of [undefined, "SSH session", "container"]) {
      const on = scene({ columns, environment: ssh });
      on.show(browserProblem === undefined ? { browserOpened: true } : { browserProblem });
      expect(on.screen().split("\n")).toContain(url);
      on.prompt({ type: "settled" });
    }
  }
});

test("where standard error is no terminal there is no escape code, no countdown and no prompt", async () => {
  const on = scene({ terminal: false, environment: ssh });
  on.show({ browserOpened: true });
  await on.clock.advance(5000);
  on.prompt({ type: "settled" });
  on.show({ browserProblem: "SSH session" });
  expect(on.stdin.isRaw).toBe(false);
  expect(on.output()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]|Waiting|>/u);
  expect(on.clock.sleeping).toBe(0);
});

test("the countdown rewrites its own line, and settling takes it away with its timer", async () => {
  const on = scene();
  on.show({ browserOpened: true });
  expect(on.screen()).toMatch(/\n\nWaiting for the browser \(4:58\)\. Ctrl-C cancels\.$/u);
  await on.clock.advance(59_000);
  expect(on.screen()).toContain("(3:59)");
  expect(on.screen().match(/Waiting/gu)).toHaveLength(1);
  on.prompt({ type: "settled", error: new OidcError("aborted", "The sign-in was cancelled.") });
  expect(on.screen()).not.toContain("Waiting");
  expect(on.screen().endsWith(`${url}\n\n`)).toBe(true);
  await new Promise((resolve) => void setImmediate(resolve));
  expect(on.clock.sleeping).toBe(0);
});

test("a countdown that a narrower window has broken is taken away whole", async () => {
  const on = scene();
  on.show({ browserOpened: true });
  const before = on.output().length;
  // 47 characters: three rows of 20, of which the cursor stands on the last.
  on.resize(20);
  await on.clock.advance(1000);
  const erased = "\r\u001b[2K\u001b[1A\u001b[2K\u001b[1A\u001b[2K";
  expect(on.output().slice(before)).toBe(`${erased}Waiting (4:57)`);
  // Fits now: one row.
  await on.clock.advance(1000);
  expect(on.output()).toMatch(/\(4:57\)\r\u001b\[2KWaiting \(4:56\)$/u);
  on.prompt({ type: "settled" });
});

test("the countdown stops at zero, and a narrow terminal gets a shorter one", async () => {
  const on = scene({ columns: 20 });
  on.show({ browserOpened: true, expiresAt: new Date(on.clock.now() + 1000) });
  await on.clock.advance(10_000);
  expect(on.screen()).toMatch(/Waiting \(0:00\)$/u);
  on.prompt({ type: "settled" });
});

test("a terminal that cannot rewrite a line is not asked to", async () => {
  const on = scene({ environment: { TERM: "dumb" } });
  on.show({ browserOpened: true });
  await on.clock.advance(3000);
  on.prompt({ type: "settled" });
  on.show({ browserProblem: "container" });
  on.stdin.type(`${pastedAddress}\r`);
  expect(on.output()).not.toContain("\u001b");
  expect(on.pasted).toEqual([pastedAddress]);
});

test("a pasted address is handed in, never shown, and the terminal is given back [I1]", () => {
  const on = scene({ environment: ssh });
  on.show({ browserProblem: "SSH session" });
  expect([on.stdin.isRaw, on.stdin.reading, on.stdin.holdsProcess]).toEqual([true, true, false]);
  for (const piece of [pastedAddress.slice(0, 40), pastedAddress.slice(40)]) on.stdin.type(piece);
  expect(on.screen()).toMatch(/> 53 characters\. Enter takes them, Ctrl-U starts over\.$/u);
  on.stdin.type("\r\n");
  expect(on.pasted).toEqual([pastedAddress]);
  expect(on.output()).not.toContain("the-code");
  expect([on.stdin.isRaw, on.stdin.reading, on.stdin.holdsProcess]).toEqual([false, false, true]);
  expect(on.stdin.listenerCount("data")).toBe(0);
  on.stdin.type(`${pastedAddress}\r`);
  expect(on.pasted).toHaveLength(1);
});

test("an address that is not this sign-in's is answered, and asked for again", () => {
  const on = scene();
  on.show({ browserProblem: "container" });
  on.stdin.type(`${redirectUri}?code=the-code&state=other\r`);
  on.stdin.type(`https://evil.example/?code=the-code\r\r`);
  expect(on.pasted).toEqual([]);
  expect(on.screen()).toContain("That address is from another sign-in.");
  expect(on.screen()).toContain("That is another address.");
  expect(on.screen().endsWith("\n> ")).toBe(true);
  expect(on.output()).not.toContain("the-code");
  on.stdin.type(`${pastedAddress}\r`);
  expect(on.pasted).toEqual([pastedAddress]);
});

test("keys: backspace, Ctrl-U, arrow keys and the marks around a paste", () => {
  const on = scene();
  on.show({ browserProblem: "container" });
  on.stdin.type("nonsense\u0015");
  on.stdin.type(`\u001b[200~${pastedAddress}xy\u001b[201~\u007f\b\u001b[D\u001bOA\u0007`);
  on.stdin.type("\n");
  expect(on.pasted).toEqual([pastedAddress]);
});

test("what is typed is bounded", () => {
  const on = scene();
  on.show({ browserProblem: "container" });
  for (let count = 0; count < 100; count += 1) on.stdin.type("x".repeat(1000));
  expect(on.screen()).toMatch(/> 8193 characters\. Enter/u);
  on.stdin.type("\r");
  expect(on.screen()).toContain("too long");
  on.prompt({ type: "settled" });
});

test("Ctrl-C, Ctrl-\\ and Ctrl-Z do what they do on a terminal", () => {
  const on = scene();
  const listeners = process.listenerCount("SIGCONT");
  on.show({ browserProblem: "container" });
  on.stdin.type("\u0003");
  on.stdin.type("\u001c");
  expect(on.stdin.isRaw).toBe(true);
  on.stdin.type("\u001a");
  expect(on.signals).toEqual(["SIGINT", "SIGQUIT", "SIGTSTP"]);
  expect(on.stdin.isRaw).toBe(false);
  process.emit("SIGCONT");
  expect(on.stdin.isRaw).toBe(true);
  on.stdin.type("\u001a");
  on.prompt({ type: "settled" });
  process.emit("SIGCONT");
  expect(on.stdin.isRaw).toBe(false);
  expect(process.listenerCount("SIGCONT")).toBe(listeners);
});

test("the terminal is as it was when a key's signal arrives, which may be the end [F-T7]", () => {
  const modes: unknown[] = [];
  const on = scene({ raiseSignal: (signal) => modes.push([signal, on.stdin.isRaw]) });
  on.show({ browserProblem: "container" });
  for (const key of ["\u0003", "\u001c", "\u001a"]) on.stdin.type(key);
  expect(modes).toEqual([
    ["SIGINT", false],
    ["SIGQUIT", false],
    ["SIGTSTP", false],
  ]);
});

test("a job in the background leaves its terminal alone until it is in the foreground [F-T8]", async () => {
  let role: TerminalRole = "background";
  const on = scene({ terminalRole: () => role });
  on.show({ browserProblem: "container" });
  expect([on.stdin.isRaw, on.stdin.reading]).toEqual([false, false]);
  expect(on.output()).toContain("bring it to the foreground (fg)");
  expect(on.output()).not.toContain("\u001b");
  // bg after a stop: still not ours.
  process.emit("SIGCONT");
  expect(on.stdin.isRaw).toBe(false);
  role = "foreground";
  process.emit("SIGCONT");
  expect([on.stdin.isRaw, on.stdin.reading]).toEqual([true, true]);
  expect(on.screen()).toMatch(/\n> $/u);
  // Ctrl-Z, then bg: the cursor stands in the shell's own line.
  on.stdin.type("\u001a");
  role = "background";
  process.emit("SIGCONT");
  expect([on.stdin.isRaw, on.stdin.reading]).toEqual([false, false]);
  const before = on.output();
  on.prompt({ type: "settled" });
  on.show({ browserOpened: true });
  await on.clock.advance(2000);
  on.prompt({ type: "settled" });
  expect(on.output().slice(before.length)).not.toContain("\u001b");
});

test("input that somebody else reads is left alone", () => {
  for (const prepare of [
    (input: PlayedInput) => input.on("data", () => undefined),
    (input: PlayedInput) => input.on("readable", () => undefined),
    (input: PlayedInput) => input.setRawMode(true),
  ]) {
    const on = scene({ environment: ssh });
    prepare(on.stdin);
    on.show({ browserProblem: "SSH session" });
    expect(on.stdin.reading).toBe(false);
    expect(on.screen()).toContain("Then open this there:");
    on.prompt({ type: "settled" });
  }
});

test("a terminal that goes away ends the reading", () => {
  const on = scene();
  on.show({ browserProblem: "container" });
  on.stdin.emit("error", new Error("EIO"));
  expect(on.stdin.reading).toBe(false);
  on.stdin.emit("error", new Error("EIO"));
  on.prompt({ type: "settled" });
});

test.for([
  [{ redirectUri: "http://[::1]:9000/cb" }, "ssh -L 9000:[::1]:9000 alice@build-7"],
  [{ redirectUri: "http://localhost:9000/cb" }, "ssh -L 9000:127.0.0.1:9000 alice@build-7"],
  [{ redirectUri: "https://notebook.example.com:9000/cb" }, undefined],
  [{ redirectUri: "http://127.0.0.1/cb" }, undefined],
] as const)("the port that is forwarded is the redirect URI's: %j", ([changes, command]) => {
  const on = scene({ environment: ssh });
  on.show({ browserProblem: "SSH session", ...changes });
  expect(/ssh -L .*/u.exec(on.screen())?.[0]).toBe(command);
  on.prompt({ type: "settled" });
});

test("names that a shell would read otherwise do not get into the command", () => {
  const on = scene({
    environment: { SSH_TTY: "/dev/pts/1", USER: "a;rm -rf ~" },
    hostName: "$(reboot)",
  });
  on.show({ browserProblem: "SSH session" });
  expect(on.screen()).toContain("ssh -L 8765:127.0.0.1:8765 you@this-host");
  on.prompt({ type: "settled" });
});

test("text from outside cannot move the cursor or start a line", () => {
  const on = scene();
  on.prompt({ type: "warning", code: "x\u001b[2J", message: "a\u001b]0;title\u0007\nb\u202e" });
  on.show({ browserOpened: true, url: "https://id.example.com/a?x=\u001b[2J b" });
  on.prompt({ type: "settled" });
  on.show({ browserProblem: "\u001b[31mred\n" });
  on.prompt({ type: "settled" });
  expect(on.output().replaceAll("\r\u001b[2K", "")).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f\u202e]/u,
  );
});

test("a new sign-in takes the old one's prompt away", async () => {
  const on = scene();
  on.show({ browserProblem: "container" });
  on.show({ browserOpened: true });
  expect(on.stdin.isRaw).toBe(false);
  await on.clock.advance(2000);
  expect(on.screen().match(/Waiting|>/gu)).toHaveLength(1);
  on.prompt({ type: "settled" });
});
