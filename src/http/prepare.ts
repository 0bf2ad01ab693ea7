// What is checked of an operation before anything is sent.

import { OidcError } from "../core/errors.ts";
import type { TransportRequest } from "../core/world.ts";
import type { HttpRequest } from "./exchange.ts";
import { hostAndPort, isLoopbackHost } from "../core/hosts.ts";
import { option, say } from "../core/wording.ts";

/** An operation in the form in which it is sent, but for what can end it. */
export type PreparedRequest = Omit<TransportRequest, "signal">;

const fieldName = /^[!#$%&'*+.^_`|~0-9a-zA-Z-]+$/;
// RFC 9110 section 5.5 allows visible characters, spaces and tabs; no tab is ever wanted here. Node writes Latin-1.
const forbiddenInHeader = /[\u0000-\u001f\u007f]|[^\u0000-\u00ff]/;
const control = /[\u0000-\u001f\u007f]/;

/**
 * Parses an address and refuses what no request may go to.
 * @throws {OidcError} `endpoint_invalid` for what is no http(s) URL or holds user information (options were checked
 * when they were set, so such an address came from metadata); `insecure_url` for `http:` beyond loopback unless
 * `allowInsecureHttp` is set.
 */
export function checkUrl(text: string, step: string, allowInsecureHttp: boolean): URL {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new OidcError("endpoint_invalid", `The address for the ${step} is not a URL.`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new OidcError(
      "endpoint_invalid",
      `The address for the ${step} is neither an https: nor an http: URL, so nothing was sent.`,
    );
  }
  const host = hostAndPort(url);
  if (url.username !== "" || url.password !== "") {
    throw new OidcError(
      "endpoint_invalid",
      `The address for the ${step} at ${host} holds a user name or password, so nothing was sent.`,
      { remedy: "Take it out of the URL." },
    );
  }
  if (url.protocol === "http:" && !allowInsecureHttp && !isLoopbackHost(url.hostname)) {
    throw new OidcError(
      "insecure_url",
      `The address for the ${step} at ${host} is http:, which everybody on the way can read, so nothing was sent.`,
      { remedy: say`Use https:, or for a test set ${option("allowInsecureHttp")}.` },
    );
  }
  return url;
}

function checkedHeaders(request: HttpRequest): Record<string, string> {
  const headers: Record<string, string> = {
    accept: request.accept ?? "application/json",
    // A hint only: what comes encoded all the same is counted after decoding.
    "accept-encoding": "identity",
    // Some providers refuse requests without one.
    "user-agent": "latchkey",
  };
  if (request.form !== undefined) headers["content-type"] = "application/x-www-form-urlencoded";
  if (request.json !== undefined) headers["content-type"] = "application/json";
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (!fieldName.test(name)) {
      throw new OidcError(
        "invalid_option",
        `A header for the ${request.step} has a name that HTTP does not allow. Nothing was sent.`,
      );
    }
    headers[name.toLowerCase()] = value;
  }
  for (const [name, value] of Object.entries(headers)) {
    if (forbiddenInHeader.test(value)) {
      throw new OidcError(
        "invalid_option",
        `The value of the header ${name} for the ${request.step} holds a line break, a control character or one ` +
          `that HTTP headers cannot carry. Nothing was sent.`,
        { remedy: "Was a file read with its line end?" },
      );
    }
  }
  return headers;
}

/**
 * Checks an operation and makes it ready to be sent.
 * @throws {OidcError} what {@link checkUrl} throws, and `invalid_option` for control characters in a header or form
 * field (RFC 6749 appendix A allows none). Values are never in the message.
 */
export function prepareRequest(request: HttpRequest, allowInsecureHttp: boolean): PreparedRequest {
  const url = checkUrl(request.url, request.step, allowInsecureHttp);
  const headers = checkedHeaders(request);
  for (const [name, value] of request.form ?? []) {
    if (control.test(name)) {
      throw new OidcError(
        "invalid_option",
        `A parameter's name for the ${request.step} holds a control character. Nothing was sent.`,
      );
    }
    if (control.test(value)) {
      throw new OidcError(
        "invalid_option",
        `The parameter ${name} of the ${request.step} holds a line break or another control character. ` +
          `Nothing was sent.`,
        { remedy: "Was a file read with its line end?" },
      );
    }
  }
  const { method, message, json } = request;
  const text = json === undefined ? request.form?.toString() : JSON.stringify(json);
  return message === undefined
    ? { url, method, headers, body: text }
    : { url, method, headers, body: message, protocol: "h2" };
}
