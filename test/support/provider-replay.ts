// Changes when an answer of oidc-provider must be taken, or given, in another way.
import { IncomingMessage, ServerResponse } from "node:http";
import type { OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { HostileAnswer } from "./provider-tampering.ts";

/** Undefined when the client left before it had sent everything, as a killed process does. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
  } catch (error) {
    if (request.complete) throw error;
    return undefined;
  }
  return Buffer.concat(chunks);
}

export interface CapturedAnswer {
  status: number;
  headers: OutgoingHttpHeaders;
  body: Buffer;
}

export type ProviderCallback = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<void>;

/** The request once more, its body unread, with the path that the provider knows. */
export function replayOf(request: IncomingMessage, path: string, issuerPath: string, body: Buffer) {
  const replay = new IncomingMessage(request.socket);
  const prepared = Object.assign(replay, {
    httpVersion: request.httpVersion,
    httpVersionMajor: request.httpVersionMajor,
    httpVersionMinor: request.httpVersionMinor,
    method: request.method,
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    url: path,
    // oidc-provider finds out where it is mounted by comparing the two.
    originalUrl: issuerPath + path,
    complete: true,
  });
  prepared.push(body);
  prepared.push(null);
  return prepared;
}

/** Lets the provider answer into memory, so that the answer can be looked at and replaced. */
export function captureAnswer(callback: ProviderCallback, replay: IncomingMessage) {
  return new Promise<CapturedAnswer>((resolve, reject) => {
    const response = new ServerResponse(replay);
    const chunks: Buffer[] = [];
    const collect = (chunk: unknown): void => {
      if (typeof chunk === "string" || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
    };
    response.write = (chunk: unknown) => {
      collect(chunk);
      return true;
    };
    response.end = (chunk?: unknown) => {
      collect(chunk);
      // `writableEnded` follows this member, and the provider must see that an answer was given.
      Object.assign(response, { finished: true });
      response.emit("finish");
      resolve({
        status: response.statusCode,
        headers: response.getHeaders(),
        body: Buffer.concat(chunks),
      });
      return response;
    };
    callback(replay, response).catch(reject);
  });
}

const headersOfTheTransfer = new Set(["content-length", "transfer-encoding", "connection"]);

export function flatHeaders(headers: OutgoingHttpHeaders): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !headersOfTheTransfer.has(name)) flat[name] = String(value);
  }
  return flat;
}

export async function send(response: ServerResponse, answer: HostileAnswer): Promise<void> {
  response.writeHead(answer.status, answer.headers);
  if (answer.body === undefined || typeof answer.body === "string") {
    response.end(answer.body);
  } else if (answer.body instanceof Uint8Array) {
    response.end(answer.body);
  } else {
    // A client that leaves an endless answer is what such a test is about.
    await pipeline(Readable.from(answer.body), response).catch(() => undefined);
  }
}
