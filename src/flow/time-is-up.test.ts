// What is said at the end of the time for the browser, by what came instead of the answer. Changes when a text does.
import { expect, test } from "vitest";
import { timeIsUp, type UnfinishedSignIn } from "./time-is-up.ts";

const none = { posted: 0, inAddress: 0, oversized: 0, unreadable: 0 };

function said(missed: Partial<typeof none> = {}, strayCallbacks = 0, device = false): string {
  const signIn: UnfinishedSignIn = {
    listener: { strayCallbacks, missed: { ...none, ...missed } },
    metadata: {
      issuer: "https://id.example.com",
      ...(device ? { deviceAuthorizationEndpoint: "https://id.example.com/device" } : {}),
    },
    redirectUri: "http://127.0.0.1:8765/callback",
  };
  const { code, message } = timeIsUp(signIn, { callbackTimeoutSeconds: 300 });
  return `${code}: ${message}`;
}

const register = "register http://127.0.0.1:8765/callback as a redirect URI";

test("nothing came: the provider may have told the person alone what is wrong", () => {
  expect(said()).toMatch(/^callback_timeout: Nobody finished the sign-in .* within 300 seconds\./u);
  expect(said()).toContain(register);
  expect(said()).not.toContain("flow: device");
  expect(said({}, 0, true)).toContain("flow: device");
});

test.for([
  [
    { posted: 1 },
    "id.example.com:443 posted its answer as a form (once)",
    "responseMode: form_post",
  ],
  [{ inAddress: 2 }, "put its answer into the address (2 times)", "set `responseMode: query`"],
  [{ oversized: 1 }, "more than the 64 KB that are read", "cookies that other programs have set"],
  [{ unreadable: 3 }, "(3 times) that is no HTTP request", "with http:"],
] as const)("what came instead of the answer is told, with its remedy: %j [F-U18][F-T9]", (row) => {
  const [missed, what, remedy] = row;
  for (const text of [said(missed), said(missed, 2)]) {
    expect(text).toContain(what);
    expect(text).toContain(remedy);
    expect(text).not.toContain(register);
  }
  expect(said(missed)).toMatch(/^callback_timeout: No answer was taken within 300 seconds\./u);
});

test("callbacks of other sign-ins alone are told as such", () => {
  expect(said({}, 1)).toMatch(
    /^state_mismatch: The browser came back \(once\) within 300 seconds/u,
  );
  expect(said({}, 2)).toContain("(2 times)");
  expect(said({}, 2)).toContain("Close older sign-in tabs");
});
