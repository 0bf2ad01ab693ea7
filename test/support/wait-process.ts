// A process that shows a wait for another one on a real terminal. Changes when a wait has another step.
// Each line on standard input is the next step: the other renews, the other signs in, the wait is over.
import { systemClock } from "../../src/core/clock.ts";
import { createTerminalPrompt } from "../../src/interaction/terminal.ts";

const prompt = createTerminalPrompt({
  stderr: process.stderr,
  stdin: process.stdin,
  environment: process.env,
  clock: systemClock,
  hostName: "build-7",
});
const steps = [
  () => prompt({ type: "waitingForOther", processId: 4711, phase: "refresh" }),
  () => prompt({ type: "waitingForOther", processId: 4711, phase: "login" }),
  () => prompt({ type: "settled" }),
];
process.stdin.on("data", () => {
  steps.shift()?.();
  if (steps.length > 0) return;
  process.stdout.write("over\n");
  process.stdin.destroy();
});
process.stdout.write("ready\n");
