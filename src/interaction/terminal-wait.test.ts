// What a person sees while another process does the work. Changes when a wait is shown otherwise.
import { expect, test } from "vitest";
import { scene } from "../../test/support/terminal-scene.ts";
import type { Scene } from "../../test/support/terminal-scene.ts";

const moment = 300;
const signingIn = "Process 4711 is signing in; waiting for it (Ctrl-C stops waiting, not it).";
const renewing = "Process 4711 is renewing the token; waiting (Ctrl-C stops waiting, not it).";

function hear(on: Scene, phase: "refresh" | "login", processId = 4711): void {
  on.prompt({ type: "waitingForOther", processId, phase });
}

test("a wait that is over in a moment shows nothing, and leaves no timer", async () => {
  const on = scene();
  hear(on, "refresh");
  await on.clock.advance(moment - 1);
  on.prompt({ type: "settled" });
  await on.clock.advance(10_000);
  expect(on.output()).toBe("");
  expect(on.clock.sleeping).toBe(0);
});

test.for([
  ["refresh", renewing],
  ["login", signingIn],
] as const)("a longer wait for a %s is one line, which goes away", async ([phase, line]) => {
  const on = scene();
  hear(on, phase);
  await on.clock.advance(moment);
  expect(on.screen()).toBe(line);
  // Heard again, it is not drawn again.
  const drawn = on.output();
  hear(on, phase);
  expect(on.output()).toBe(drawn);
  on.prompt({ type: "settled" });
  expect(on.screen()).toBe("");
});

test("the line follows the phase and the process, before and after it is shown", async () => {
  const on = scene();
  hear(on, "refresh");
  hear(on, "login");
  await on.clock.advance(moment);
  expect(on.screen()).toBe(signingIn);
  hear(on, "refresh");
  expect(on.screen()).toBe(renewing);
  hear(on, "login", 4712);
  expect(on.screen()).toBe(signingIn.replace("4711", "4712"));
  on.prompt({ type: "settled" });
  expect(on.screen()).toBe("");
});

test("the next wait is a new one: it too is shown only after a moment", async () => {
  const on = scene();
  hear(on, "login");
  await on.clock.advance(moment);
  on.prompt({ type: "settled" });
  hear(on, "login");
  expect(on.screen()).toBe("");
  await on.clock.advance(moment);
  expect(on.screen()).toBe(signingIn);
  on.prompt({ type: "settled" });
});

test("what a person must do, or should know, comes first", async () => {
  const on = scene();
  hear(on, "login");
  await on.clock.advance(moment);
  on.prompt({ type: "warning", code: "cache_write_failed", message: "The disk is full." });
  expect(on.screen()).toBe(`Warning: The disk is full. [cache_write_failed]\n${signingIn}`);
  on.show({ browserOpened: true });
  expect(on.screen()).not.toContain("4711");
  hear(on, "login");
  await on.clock.advance(moment);
  expect(on.screen()).not.toContain("4711");
  on.prompt({ type: "settled" });
});

test("on a narrow terminal the line is shorter, never two", async () => {
  for (let columns = 1; columns <= 120; columns += 1) {
    for (const phase of ["refresh", "login"] as const) {
      for (const processId of [1, 4_194_304, process.pid]) {
        const on = scene({ columns });
        hear(on, phase, processId);
        await on.clock.advance(moment);
        // A line as wide as the terminal wraps, and is not erased whole.
        expect(on.screen().length).toBeLessThan(Math.max(columns, 1));
        on.prompt({ type: "settled" });
      }
    }
  }
});

test.for([
  ["no terminal", { terminal: false, terminalInput: false }],
  ["a terminal that cannot rewrite a line", { environment: { TERM: "dumb" } }],
] as const)("%s: one line for a sign-in, none for a refresh, no escape code", async ([, view]) => {
  const on = scene(view);
  hear(on, "refresh");
  await on.clock.advance(moment);
  expect(on.output()).toBe("");
  hear(on, "login");
  hear(on, "login");
  on.prompt({ type: "settled" });
  expect(on.output()).toBe(`${signingIn}\n`);
});

test("Enter takes over, once; the line says so before and after [F-U16]", async () => {
  const on = scene();
  let taken = 0;
  const takeOver = (): void => void (taken += 1);
  on.prompt({ type: "waitingForOther", processId: 4711, phase: "login", takeOver });
  await on.clock.advance(moment);
  expect(on.screen()).toBe(
    "Process 4711 is signing in; waiting. Press Enter to sign in here instead.",
  );
  // What was typed ahead for the shell is no Enter for us.
  on.stdin.type("ls\r");
  expect(taken).toBe(0);
  on.stdin.type("\r");
  expect(taken).toBe(1);
  expect(on.screen()).toBe("Taking over the sign-in.");
  expect(on.stdin.isRaw).toBe(false);
  on.stdin.type("\r");
  expect(taken).toBe(1);
  on.prompt({ type: "settled" });
  expect(on.screen()).toBe("");
});

test("a wait that ends gives the terminal back, and one that became a renewal offers nothing [F-U16]", async () => {
  const on = scene();
  let taken = 0;
  const takeOver = (): void => void (taken += 1);
  on.prompt({ type: "waitingForOther", processId: 4711, phase: "login", takeOver });
  await on.clock.advance(moment);
  expect(on.stdin.isRaw).toBe(true);
  hear(on, "refresh");
  expect([on.screen(), on.stdin.isRaw]).toEqual([renewing, false]);
  on.prompt({ type: "waitingForOther", processId: 4711, phase: "login", takeOver });
  expect(on.stdin.isRaw).toBe(true);
  on.prompt({ type: "settled" });
  expect(on.stdin.isRaw).toBe(false);
  on.stdin.type("\r");
  expect(taken).toBe(0);
});

test.for([
  [{ terminal: false }, 4711],
  // The other sign-in of this program is on this very terminal.
  [{}, process.pid],
] as const)(
  "nothing is offered where Enter could not mean it: %j [F-U16]",
  async ([options, pid]) => {
    const on = scene(options);
    on.prompt({
      type: "waitingForOther",
      processId: pid,
      phase: "login",
      takeOver: () => undefined,
    });
    await on.clock.advance(moment);
    expect(on.screen()).not.toContain("Enter");
    expect(on.stdin.isRaw).toBe(false);
  },
);
