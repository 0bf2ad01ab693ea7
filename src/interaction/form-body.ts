// Reads an answer that a browser posts to the loopback listener, bounded. Changes when another form of body is taken.

import { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { listenerFormBytes } from "../core/limits.ts";

/** The form's parameters; or the status with which it is refused; undefined: whoever sent it has left. */
export type FormBody =
  | { readonly parameters: URLSearchParams }
  | { readonly status: 413 | 415; readonly why: string }
  | undefined;

const tooLong = { status: 413, why: "form too long" } as const;

/**
 * Reads `application/x-www-form-urlencoded`, and nothing else, up to the bound. The time that it may take is the
 * listener's: a request that is not whole in time is cut off.
 * @see OAuth 2.0 Form Post Response Mode section 2
 */
export async function readFormBody(request: IncomingMessage): Promise<FormBody> {
  const { headers } = request;
  const [type = ""] = (headers["content-type"] ?? "").split(";", 1);
  if (
    type.trim().toLowerCase() !== "application/x-www-form-urlencoded" ||
    headers["content-encoding"] !== undefined
  ) {
    return { status: 415, why: "not a form" };
  }
  if (Number(headers["content-length"] ?? 0) > listenerFormBytes) return tooLong;
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let length = 0;
    request.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= listenerFormBytes) pieces.push(piece);
      else resolve(tooLong);
    });
    request.once("end", () => {
      resolve({ parameters: new URLSearchParams(Buffer.concat(pieces).toString()) });
    });
    request.once("error", () => resolve(undefined));
    request.once("close", () => resolve(undefined));
  });
}
