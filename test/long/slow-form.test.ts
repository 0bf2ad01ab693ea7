// A form that is posted more slowly than a request may take. Changes when the listener's time for a request does.

import { once } from "node:events";
import { afterEach, expect, test } from "vitest";
import { connected, createListeners, expectedState, send } from "../support/callback-listener.ts";

const { open, closeAll } = createListeners();
afterEach(closeAll);

const headers = { "content-type": "application/x-www-form-urlencoded" };
const body = `code=the-code&state=${expectedState}`;

test("a form that does not come to its end is cut off, and the wait goes on [F-U18][L12]", async () => {
  const listener = await open({ responseMode: "form_post" });
  const slow = await connected(listener.port);
  slow.write(
    `POST /callback HTTP/1.1\r\nHost: ${listener.authority}\r\nContent-Type: ${headers["content-type"]}\r\n` +
      `Content-Length: ${String(body.length)}\r\n\r\n`,
  );
  slow.resume();
  const cutOff = once(slow, "close");
  const letters = body.slice(0, -1).split("");
  const drip = setInterval(() => void slow.write(letters.shift() ?? ""), 300);
  await send(listener, "/callback", { method: "POST", headers, body });
  expect((await listener.callback).get("code")).toBe("the-code");
  await cutOff;
  clearInterval(drip);
  expect(letters.length).toBeGreaterThan(0);
});
