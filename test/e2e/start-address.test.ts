// What another user of this machine learns from the arguments of our programs, and what it is worth; and the start
// address in a real browser.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { approveDeviceOnPages, signInOnPages, startChromium } from "../support/chromium.ts";
import { needs } from "../support/debian-packages.ts";
import { pollQuickly } from "../flow/harness.ts";
import { desk, provider } from "./harness.ts";

const intruderScript = fileURLToPath(new URL("../support/intruder.mjs", import.meta.url));
const browserScript = fileURLToPath(new URL("../support/patient-browser.mjs", import.meta.url));
const nobody = 65534;
// It takes root to be two users.
const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const { available } = needs("chromium");

/** Another user, who waits for an address in the arguments of a process that names `mark`. */
function startIntruder(mark: string) {
  const child = spawn(process.execPath, [intruderScript, mark], {
    uid: nobody,
    gid: nobody,
    cwd: "/",
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill());
  const next = async (): Promise<string> => String((await once(child.stdout, "data"))[0]).trim();
  return { seen: next(), strike: () => (child.stdin.write("go\n"), next()) };
}

test.skipIf(!isRoot).each([
  ["before the person's browser", "before"],
  ["after it", "between"],
] as const)(
  "[F-S1] another user who opens the browser's address %s signs nobody in as himself",
  async (_name, when) => {
    const at = await desk();
    const identityProvider = await provider();
    const go = join(at.home, "go");
    const browser = `${process.execPath} ${browserScript} ${when} ${go}`;
    const intruder = startIntruder(go);
    const login = at.start(["login", ...at.flags(identityProvider), "--browser-command", browser]);
    expect(await intruder.seen).toBe("seen");
    // The sign-in is shown when the browser has had its moment.
    await login.waitFor(/http:\S+\/auth\?\S+/);
    expect(await intruder.strike()).toBe("refused");
    writeFileSync(go, "");
    const { code, stderr } = await login.finished;
    expect(stderr).toContain("as Alice Example");
    expect(stderr).not.toMatch(/mallory/i);
    expect(stderr).toContain(`(uid ${String(nobody)})`);
    expect(stderr).toContain("[opened_by_other_user]");
    expect(code).toBe(0);
  },
);

/** `--browser-command` for a browser that only writes its address to a file, and that file. */
function writing(home: string): { command: string; address: () => Promise<string> } {
  const file = join(home, "address");
  const script = `require('fs').writeFileSync('${file}', process.argv[1])`;
  return {
    command: `${process.execPath} -e "${script}"`,
    address: async () => {
      await expect
        .poll(() => (existsSync(file) ? readFileSync(file, "utf8") : ""), { timeout: 15_000 })
        .toMatch(/^http/);
      return readFileSync(file, "utf8");
    },
  };
}

test.skipIf(!available).each([
  ["auth_code", /\/interaction\//],
  ["device", /\/device/],
] as const)(
  "[F-S1] Chromium is led on to the provider's page, and going back does not open it twice: %s",
  async (flow, page) => {
    const at = await desk();
    const identityProvider = await provider();
    const chromium = await startChromium();
    onTestFinished(() => chromium.close());
    const { command, address } = writing(at.home);
    pollQuickly(identityProvider);
    const login = at.start([
      "login",
      ...at.flags(identityProvider),
      "--browser-command",
      command,
      "--flow",
      flow,
    ]);
    const start = await address();
    const tab = await chromium.newPage();
    await tab.goto("about:blank");
    await tab.goto(start);
    await tab.waitForURL(page);
    await tab.goBack();
    expect(tab.url()).toBe("about:blank");
    await tab.goForward();
    await tab.waitForURL(page);
    if (flow === "device") {
      const [complete] = await login.waitFor(/^http:\S+user_code=\S+$/m);
      await approveDeviceOnPages(tab, complete);
    } else {
      await signInOnPages(tab);
      await tab.getByRole("heading", { name: "You are signed in" }).waitFor();
    }
    const { code, stderr } = await login.finished;
    expect(stderr).toContain("as Alice Example");
    expect(code).toBe(0);
  },
);

test.skipIf(!available)(
  "[F-S1] a second tab with the address ends the sign-in, says so, and the command says what it means",
  async () => {
    const at = await desk();
    const identityProvider = await provider();
    const chromium = await startChromium();
    onTestFinished(() => chromium.close());
    const { command, address } = writing(at.home);
    const flags = [...at.flags(identityProvider), "--browser-command", command];
    const login = at.start(["login", ...flags]);
    const start = await address();
    const first = await chromium.newPage();
    await first.goto(start);
    await first.waitForSelector("input[name=login]");
    const second = await chromium.newPage();
    await second.goto(start);
    await second.getByRole("heading", { name: "This page was opened before" }).waitFor();
    const { code, stderr } = await login.finished;
    expect(stderr).toMatch(
      /--no-open-browser and open the shown address yourself\. \[callback_invalid: opened_twice\]\n$/,
    );
    expect(code).toBe(1);
  },
);
