// What a person reads of a device code. Changes when a text does; the captures of all texts are terminal.test's.
import { expect, test } from "vitest";
import {
  pastedAddress,
  scene,
  ssh,
  verificationUri,
  verificationUriComplete,
} from "../../test/support/terminal-scene.ts";

test("a device prompt has the code always, each address whole and alone on its line, and what is signed in to [V06][V07]", () => {
  for (const columns of [20, 40, 80]) {
    for (const browserOpened of [false, true]) {
      const on = scene({ columns });
      on.showCode({ verificationUriComplete, browserOpened });
      const lines = on.screen().split("\n");
      expect(lines).toContain(verificationUri);
      expect(lines).toContain(verificationUriComplete);
      expect(lines).toContain("and enter  WDJB-MJHT");
      const text = on.screen().replaceAll(/\s+/gu, " ");
      expect(text).toContain("id.example.com as client data-cli for openid profile email");
      expect(text).toContain("Enter it only if you started this sign-in yourself.");
      on.prompt({ type: "settled" });
    }
  }
});

test("the countdown of a code does not scroll, and settling takes it away", async () => {
  const on = scene();
  on.showCode();
  await on.clock.advance(61_000);
  expect(on.screen()).toMatch(
    /\n\nWaiting for the code to be entered \(8:57\)\. Ctrl-C cancels\.$/u,
  );
  expect(on.screen().match(/Waiting/gu)).toHaveLength(1);
  on.prompt({ type: "settled" });
  expect(on.screen()).not.toContain("Waiting");
  await new Promise((resolve) => void setImmediate(resolve));
  expect(on.clock.sleeping).toBe(0);
});

test("a QR code of the most complete address stands on a terminal, where it fits, and nowhere else [V08]", () => {
  const drawn: [string, number][] = [];
  const renderQr = (text: string, columns: number): string | undefined => {
    drawn.push([text, columns]);
    return columns < 30 ? undefined : "##  ##\n##  ##";
  };
  const wide = scene({ renderQr });
  wide.showCode({ verificationUriComplete });
  expect(wide.screen()).toContain("\n\n##  ##\n##  ##\n\n");
  wide.prompt({ type: "settled" });
  const narrow = scene({ renderQr, columns: 20 });
  narrow.showCode();
  expect(narrow.screen()).not.toContain("#");
  narrow.prompt({ type: "settled" });
  const none = scene({ renderQr, terminal: false });
  none.showCode();
  expect(none.output()).not.toContain("#");
  expect(drawn).toEqual([
    [verificationUriComplete, 80],
    [verificationUri, 20],
    // Once more with the close text: it leaves more rows.
    [verificationUri, 20],
  ]);
});

test("a QR code has the rows that the text leaves, at every width", () => {
  for (const columns of [40, 80, 200]) {
    let room: number | undefined;
    const on = scene({
      columns,
      rows: 60,
      renderQr: (_text, _columns, rows) => {
        room = rows;
        return Array.from({ length: rows ?? 0 }, () => "##").join("\n");
      },
    });
    on.showCode({ verificationUriComplete, why: "This provider has no other way to sign in." });
    const rows = on
      .screen()
      .split("\n")
      .map((line) => Math.max(1, Math.ceil(line.length / columns)));
    expect(room).toBeGreaterThan(30);
    // The countdown's row is the last, and the first row of the text is still there.
    expect(rows.reduce((sum, each) => sum + each, 0)).toBe(60);
    on.prompt({ type: "settled" });
  }
});

test("a QR code that does not fit beside the roomy text stands with a close one: 24 rows are enough [F-U9]", async () => {
  const qrCode = Array.from({ length: 17 }, () => "##").join("\n");
  const on = scene({
    columns: 80,
    rows: 24,
    renderQr: (_text, _columns, rows) => (rows !== undefined && rows >= 17 ? qrCode : undefined),
  });
  on.showCode({ verificationUriComplete });
  const lines = on.screen().split("\n");
  expect(lines.length).toBeLessThanOrEqual(24);
  expect(lines).toContain(verificationUri);
  expect(lines).toContain(verificationUriComplete);
  expect(on.screen()).toContain("and enter  WDJB-MJHT. Enter it only if you started this");
  expect(on.screen()).toMatch(/##\nWaiting for the code to be entered \(9:58\)/u);
  await on.clock.advance(1000);
  expect(on.screen().split("\n").length).toBeLessThanOrEqual(24);
});

test("a code beside the browser's address leaves what is typed alone", () => {
  const on = scene({ environment: ssh });
  on.show({ browserProblem: "SSH session" });
  on.stdin.type(pastedAddress.slice(0, 40));
  on.showCode({ besideBrowser: true });
  expect(on.screen()).toMatch(
    /\n3 {2}Or on any device visit https:\/\/id\.example\.com\/device\n {3}and enter {2}WDJB-MJHT {2}\(until \d\d:\d\d\)\n> 40 characters\./u,
  );
  on.stdin.type(`${pastedAddress.slice(40)}\r`);
  expect(on.pasted).toEqual([pastedAddress]);
});

test("text of a device code from outside cannot move the cursor or start a line [V09]", () => {
  const on = scene();
  on.showCode({
    userCode: "AB\u001b[2J\nCD",
    verificationUri: "https://id.example.com/\u001b[2J x",
    why: "a\nb\u202e",
    clientId: "c\r\u001b[1A",
    scopes: ["s\n"],
  });
  on.prompt({ type: "settled" });
  expect(on.output().replaceAll("\r\u001b[2K", "")).not.toMatch(
    /[\u0000-\u0009\u000b-\u001f\u202e]/u,
  );
  expect(on.output().split("\n")).not.toContain("CD");
});
