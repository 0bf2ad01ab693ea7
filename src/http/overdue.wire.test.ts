// What cannot be taken back is not sent once the time for it is over, which no timer may have told yet.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { makeClient, metadataRequest, tokenRequest } from "../../test/support/http-client.ts";
import { OidcError } from "../core/errors.ts";
import { anyOfTimed } from "../core/timed-signal.ts";

test("a token request is not sent when its time is over as the connection stands, metadata are asked for", async () => {
  const requests: string[] = [];
  let looks = 0;
  const lost = new AbortController();
  const server = createServer((request, response) => {
    requests.push(request.method ?? "");
    request.resume().once("end", () => {
      response.setHeader("content-type", "application/json").end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const connected = once(server, "connection");
  const signal = anyOfTimed(new AbortController().signal, {
    signal: lost.signal,
    expireIfOverdue: () => {
      looks += 1;
      lost.abort(new OidcError("store_unavailable", "Too late.", { reason: "lock_overdue" }));
    },
  });
  const client = makeClient();
  await client.send({ ...metadataRequest(origin), signal });
  expect([looks, requests]).toEqual([0, ["GET"]]);
  await connected;
  await expect(client.send({ ...tokenRequest(origin), signal })).rejects.toMatchObject({
    code: "store_unavailable",
    reason: "lock_overdue",
  });
  expect([looks, requests]).toEqual([1, ["GET"]]);
});
