import { afterEach, beforeEach, expect, test } from "vitest";
import {
  inTurn,
  json,
  redirect,
  reply,
  startHostileServer,
} from "../../test/support/hostile-server.ts";
import type { HostileServer } from "../../test/support/hostile-server.ts";
import {
  makeClient,
  metadataRequest,
  userinfoRequest,
  tokenRequest,
} from "../../test/support/http-client.ts";

let server: HostileServer;
let other: HostileServer;

beforeEach(async () => {
  server = await startHostileServer();
  other = await startHostileServer(json({ evil: true }));
});

afterEach(async () => {
  await server.close();
  await other.close();
});

test.each([301, 302, 303, 307, 308])(
  "never follows a %i with credentials on board [N04]",
  async (status) => {
    server.behave(redirect(`${other.origin}/collect`, status));
    for (const kind of [userinfoRequest, tokenRequest]) {
      const error = await makeClient().failure(kind(server.origin));
      expect(error.code).toBe("redirect_refused");
      expect(error.message).toContain(server.host);
      expect(error.message).toContain(other.host);
    }
    expect(other.requests).toEqual([]);
    expect(server.requests).toHaveLength(2);
  },
);

test("does not follow a redirect within the origin with credentials on board [N04]", async () => {
  server.behave(inTurn(redirect("/elsewhere"), json({})));
  expect((await makeClient().failure(tokenRequest(server.origin))).code).toBe("redirect_refused");
  expect(server.requests).toHaveLength(1);
});

test("does not let a POST pass for metadata [N04]", async () => {
  server.behave(inTurn(redirect("/elsewhere"), json({})));
  const error = await makeClient().failure({ ...tokenRequest(server.origin), metadata: true });
  expect(error.code).toBe("redirect_refused");
  expect(server.requests).toHaveLength(1);
});

test("follows one redirect of metadata within the origin [D04]", async () => {
  server.behave(inTurn(redirect("/metadata/"), json({ a: 1 })));
  const answer = await makeClient().send(metadataRequest(server.origin));
  expect(answer.url).toBe(`${server.origin}/metadata/`);
  expect(server.requests.map(({ target }) => target)).toEqual(["/metadata", "/metadata/"]);
});

test("refuses a second redirect of metadata [D04]", async () => {
  server.behave(inTurn(redirect("/1"), redirect("/2"), json({})));
  expect((await makeClient().failure(metadataRequest(server.origin))).code).toBe(
    "redirect_refused",
  );
  expect(server.requests).toHaveLength(2);
});

test("refuses a redirect of metadata to another origin, scheme or user [D04]", async () => {
  const targets = [
    `${other.origin}/metadata`,
    `https://127.0.0.1:${server.port}/metadata`,
    `http://user:pass@127.0.0.1:${server.port}/metadata`,
    "javascript:alert(1)",
    "http://[",
  ];
  for (const target of targets) {
    server.behave(redirect(target));
    const error = await makeClient().failure(metadataRequest(server.origin));
    expect(error.code).toBe("redirect_refused");
    expect(error.message).not.toContain("pass");
  }
  expect(other.connections()).toBe(0);
  expect(server.requests).toHaveLength(targets.length);
});

test("treats a 3xx without Location as an answer", async () => {
  server.behave(reply(300));
  expect((await makeClient().send(userinfoRequest(server.origin))).status).toBe(300);
});
