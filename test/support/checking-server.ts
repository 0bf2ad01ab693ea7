// A server that checks the tokens of a provider, and keeps a log of what came; and one elsewhere that takes anything.

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import express, { type Request, type Response } from "express";
import { onTestFinished } from "vitest";
import { createResourceServer, expressMiddleware } from "../../src/server.ts";
import type { IdentityProvider } from "./identity-provider.ts";

/** What `/binary` answers. */
export const binary: Buffer = Buffer.from([0, 1, 2, 0xff, 0xfe, 0x0d, 0x0a]);

/** A request as it came. */
export interface Seen {
  readonly authorization: string | undefined;
  readonly method: string;
  readonly headers: Request["headers"];
  readonly body: string;
}

async function listen(app: express.Express): Promise<string> {
  const server = createServer(app).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Both of them. */
export interface CheckingServers {
  readonly origin: string;
  readonly log: readonly Seen[];
  readonly logElsewhere: readonly Seen[];
  /** Values of `Authorization` that are refused from now on, although they are valid. */
  readonly refused: Set<string>;
}

/** Starts them, for the test. The provider's tokens are JWTs for its usual audience. */
export async function startCheckingServers(
  identityProvider: IdentityProvider,
): Promise<CheckingServers> {
  const log: Seen[] = [];
  const logElsewhere: Seen[] = [];
  const note =
    (into: Seen[]) => async (request: Request, _response: Response, next: () => void) => {
      const { method, headers } = request;
      const body = (await buffer(request)).toString("latin1");
      into.push({ authorization: headers.authorization, method, headers, body });
      next();
    };
  const refused = new Set<string>();
  const elsewhere = await listen(
    express().use(note(logElsewhere), (_request, response) => void response.send("elsewhere")),
  );
  const resourceServer = createResourceServer({
    issuer: identityProvider.issuer,
    audience: "urn:demo:api",
  });
  const app = express()
    .disable("x-powered-by")
    .use(note(log), (request, response, next) => {
      if (!refused.has(request.headers.authorization ?? "")) next();
      else response.set("www-authenticate", 'Bearer error="invalid_token"').sendStatus(401);
    })
    .use(expressMiddleware(resourceServer))
    .get("/binary", (_request, response) => void response.end(binary))
    .get("/away", (_request, response) => response.redirect(307, `${elsewhere}/there`))
    .get("/missing", (_request, response) => void response.status(404).send("not here"))
    .all("/echo", (_request, response) => {
      response.set("set-cookie", ["a=1", "b=2"]).type("text").send("hello\n");
    });
  return { origin: await listen(app), log, logElsewhere, refused };
}
