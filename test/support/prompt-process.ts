// A process that shows a sign-in on a real terminal, for what only one can show. Changes when such a thing is added.
// Says on standard output what was pasted (its length alone), and has nothing more to do then.
import { systemClock } from "../../src/core/clock.ts";
import { createTerminalPrompt } from "../../src/interaction/terminal.ts";

const [browser = "none"] = process.argv.slice(2);
const prompt = createTerminalPrompt({
  stderr: process.stderr,
  stdin: process.stdin,
  environment: { SSH_TTY: "/dev/pts/1", USER: "alice" },
  clock: systemClock,
  hostName: "build-7",
});
const waiting = setInterval(() => undefined, 60_000);
const opened = browser === "opened";
prompt({
  type: "authorizationUrl",
  url: "https://id.example.com/authorize?response_type=code&state=s1",
  redirectUri: "http://127.0.0.1:8765/callback",
  browserOpened: opened,
  ...(opened ? {} : { browserProblem: "SSH session" }),
  expiresAt: new Date(Date.now() + 300_000),
  paste(redirected) {
    process.stdout.write(`pasted ${redirected.length}\n`);
    prompt({ type: "settled" });
    clearInterval(waiting);
  },
  cancel: () => undefined,
});
