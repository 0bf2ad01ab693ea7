// What a person reads and types where a server says where to sign in (D08, D09, O06); captures are in __captures__.
import { expect, onTestFinished, test } from "vitest";
import type { TrustQuestionEvent } from "../core/prompt.ts";
import { scene, type Scene, type SceneOptions } from "../../test/support/terminal-scene.ts";

const known = {
  issuer: "https://login.example.net",
  clientId: "graph-cli",
  scopes: ["openid", "profile"],
};

/** Asks, and gives the answers that came. */
function ask(on: Scene, changes: Partial<TrustQuestionEvent> = {}): string[] {
  const answers: string[] = [];
  on.prompt({
    type: "trustQuestion",
    server: "https://data.example.com/",
    ...known,
    accept: () => answers.push("accepted"),
    refuse: () => answers.push("refused"),
    ...changes,
  });
  onTestFinished(() => on.prompt({ type: "settled" }));
  return answers;
}

const questions: readonly [string, Partial<TrustQuestionEvent>][] = [
  ["first contact", {}],
  ["with an audience", { audience: "https://data.example.com/api" }],
  ["without client and scopes", { clientId: "", scopes: [] }],
  [
    "a changed answer",
    {
      before: known,
      issuer: "https://login.example.org/realms/data",
      scopes: ["openid", "profile", "offline_access"],
    },
  ],
  [
    "another client and an audience",
    { before: known, clientId: "other-cli", audience: "https://data.example.com/api" },
  ],
];

const views: Readonly<Record<string, SceneOptions>> = {
  "80-columns": { columns: 80 },
  "40-columns": { columns: 40 },
  "no-terminal": { terminal: false, terminalInput: false },
};

test.for(Object.keys(views))("every question, as it stands with %s", async (view) => {
  const parts = questions.map(([title, changes]) => {
    const on = scene(views[view]);
    ask(on, changes);
    const text = on.screen();
    return `--- ${title}\n${text}${text.endsWith("\n") ? "" : "\n"}`;
  });
  await expect(parts.join("\n")).toMatchFileSnapshot(`./__captures__/trust-${view}.txt`);
});

test.for([
  ["y\r", "accepted"],
  ["Yes\r", "accepted"],
  [" y \r", "accepted"],
  ["\r", "refused"],
  ["n\r", "refused"],
  ["yep\r", "refused"],
  ["no, y\r", "refused"],
  ["\u0004", "refused"],
  [`${"y".repeat(30)}\r`, "refused"],
])("%j is read as %s", ([typed = "", answer]) => {
  const on = scene();
  const answers = ask(on);
  expect(answers).toEqual([]);
  on.stdin.type(typed);
  // Whatever is typed afterwards is somebody else's.
  on.stdin.type("y\r");
  expect(answers).toEqual([answer]);
  expect(on.stdin.isRaw).toBe(false);
  expect(on.screen()).toMatch(answer === "accepted" ? /\[y\/N\] y\n$/ : /\[y\/N\] n\n$/);
});

test("what is typed can be seen, and taken back", () => {
  const on = scene();
  ask(on);
  on.stdin.type("yes");
  expect(on.screen()).toMatch(/Continue\? \[y\/N\] yes$/);
  on.stdin.type("\u007f\u007f\u007fn");
  expect(on.screen()).toMatch(/Continue\? \[y\/N\] n$/);
});

test.for<[string, SceneOptions]>([
  ["standard error", { terminal: false }],
  ["standard input", { terminalInput: false }],
])("refused at once where %s is no terminal", ([, options]) => {
  const on = scene(options);
  expect(ask(on)).toEqual(["refused"]);
  expect(on.output()).toContain("Nobody can answer here, so it is refused.\n");
});

test("a question that is settled otherwise is taken away, and answers nothing", () => {
  const on = scene();
  const answers = ask(on);
  on.prompt({ type: "settled" });
  on.stdin.type("y\r");
  expect(answers).toEqual([]);
  expect(on.stdin.isRaw).toBe(false);
  expect(on.screen()).not.toContain("Continue?");
});

test("in the background it waits for the foreground", () => {
  const on = scene({ terminalRole: () => "background" });
  expect(ask(on)).toEqual([]);
  expect(on.stdin.isRaw).toBe(false);
  expect(on.output()).toContain("bring it to the foreground (fg) to answer");
});

test("nothing of a server commands the terminal, or passes for another host or for our words [O06]", () => {
  const on = scene({ columns: 200 });
  ask(on, {
    server: "https://d\u0430ta.example.com/",
    issuer: "https://l\u043egin.example.net/\u202egnp.exe?\u001b[2J",
    clientId: "graph-cli\u001b]8;;https://evil.example\u0007 for openid. You trust it",
    scopes: ["openid", "adm\u0456n", "a\nb"],
    audience: "x\u2066\u200b y",
  });
  const text = on.output();
  expect(text.replaceAll("\r\u001b[2K", "")).not.toMatch(/[^\n\x20-\x7e]/u);
  expect(text).toMatch(
    /^xn--dta-6cd\.example\.com asks you to sign in\nat {2}https:\/\/xn--lgin-55d\./,
  );
  const words = text.replaceAll("\n", " ");
  expect(words).toContain(
    'as client  "graph-cli ]8;;https://evil.example  for openid. You trust it"',
  );
  expect(words).toContain(String.raw`for  openid "adm\u{456}n" "a b"`);
});

test("a host is shown whole, however long what comes behind it is", () => {
  const on = scene({ columns: 200 });
  ask(on, { issuer: `https://${"a.".repeat(100)}example.net/${"x".repeat(5000)}` });
  expect(on.output()).toContain(`https://${"a.".repeat(100)}example.net/x`);
  expect(on.output().length).toBeLessThan(1200);
});

test("user information in an address is not shown for its host", () => {
  const on = scene();
  ask(on, { issuer: "https://login.example.net@evil.example/" });
  expect(on.output()).toContain("https://evil.example");
  expect(on.output()).not.toContain("login.example.net");
});
