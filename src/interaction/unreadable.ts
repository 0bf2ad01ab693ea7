// What Node's HTTP parser refuses before the listener sees a request: answered here, and told apart. Changes when Node
// refuses something else.

import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { Page } from "./pages/page.ts";
import { nothingHerePage, tooMuchPage } from "./pages/states.ts";

/** Why a connection brought no request: more headers than are read, or bytes that are no HTTP. */
export type Unreadable = "oversized" | "unreadable";

const statusTexts: Readonly<Record<number, string>> = {
  400: "Bad Request",
  408: "Request Timeout",
  431: "Request Header Fields Too Large",
};

function pageOf(code: string | undefined): Page {
  if (code === "HPE_HEADER_OVERFLOW") return tooMuchPage();
  return nothingHerePage(code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400);
}

function whatCame(code: string | undefined, bytes: number): Unreadable | undefined {
  if (code === "HPE_HEADER_OVERFLOW") return "oversized";
  // Browsers open connections ahead of need, and leave them.
  const isSpare = bytes === 0 || code === "ECONNRESET" || code === "ERR_HTTP_REQUEST_TIMEOUT";
  return isSpare || code === "HPE_INVALID_EOF_STATE" ? undefined : "unreadable";
}

/** Answers on a connection whose request could not be read, and ends it. Says what it was; undefined: nothing to tell. */
export function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Duplex,
): Unreadable | undefined {
  const bytes = "bytesRead" in socket ? Number(socket.bytesRead) : 0;
  if (socket.writable && error.code !== "ECONNRESET") {
    const { status, headers, html } = pageOf(error.code);
    const body = Buffer.from(html);
    const lines = Object.entries({
      ...headers,
      "Content-Length": String(body.length),
      Connection: "close",
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(
      `HTTP/1.1 ${String(status)} ${statusTexts[status] ?? ""}\r\n${lines.join("")}\r\n`,
    );
    socket.write(body);
  }
  socket.destroy();
  return whatCame(error.code, bytes);
}
