// Keeps the HTTP parser of undici 6 and 7 from pausing. Goes when undici 8 can be the oldest one in use.

import { longestResponseBytes } from "../core/limits.ts";

/** The handler that the fetch of undici 6 and 7 gives to a dispatcher. */
interface LegacyHandler {
  onConnect(abort: (reason: Error) => void, context: unknown): void;
  onData(chunk: Uint8Array): boolean;
}

/** What the handler of undici 8 can do about its request. */
interface RequestController {
  abort(reason: Error): void;
  pause(): void;
}

/** The handler that the fetch of undici 8 (Node 26) gives to a dispatcher, which may be one of undici 7. */
interface Handler {
  onRequestStart(controller: RequestController, context: unknown): void;
  onResponseData(controller: RequestController, chunk: Uint8Array): void;
}

/** As much of a dispatcher as fetch uses. */
export interface FetchDispatcher {
  dispatch(options: unknown, handler: unknown): boolean;
}

/** The `code` of the error with which an answer beyond {@link longestEncodedBytes} ends. */
export const tooManyBytesCode = "ERR_LATCHKEY_TOO_MANY_BYTES";

// The limit on decoded bytes, and room for what an encoding adds to bytes that it cannot shrink.
const longestEncodedBytes = longestResponseBytes + 64 * 1024;

/** Counts the bytes of one answer: false beyond the limit, after ending the request. */
function makeCounter(): (chunk: Uint8Array, abort: (reason: Error) => void) => boolean {
  let encodedBytes = 0;
  return (chunk, abort) => {
    encodedBytes += chunk.byteLength;
    if (encodedBytes <= longestEncodedBytes) return true;
    abort(Object.assign(new Error(tooManyBytesCode), { code: tooManyBytesCode }));
    return false;
  };
}

function isLegacyHandler(handler: object): handler is LegacyHandler {
  return "onConnect" in handler && "onData" in handler && !("onRequestStart" in handler);
}

function isHandler(handler: object): handler is Handler {
  return "onRequestStart" in handler && "onResponseData" in handler;
}

function legacyWithoutPauses(handler: LegacyHandler): LegacyHandler {
  const isWithinLimit = makeCounter();
  let abort: (reason: Error) => void = () => {};
  // The handler keeps its state on `this`, so the derived object is that everywhere.
  const eager = Object.create(handler) as LegacyHandler;
  eager.onConnect = (abortRequest, context) => {
    abort = abortRequest;
    handler.onConnect.call(eager, abortRequest, context);
  };
  eager.onData = (chunk) => {
    if (isWithinLimit(chunk, abort)) handler.onData.call(eager, chunk);
    return true;
  };
  return eager;
}

/** The controller itself, except that it does not pause. Its methods use private members, so they keep their `this`. */
function withoutPause(controller: RequestController): RequestController {
  return new Proxy(controller, {
    get: (target, name) => {
      if (name === "pause") return () => {};
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
}

function withoutPauses(handler: Handler): Handler {
  const isWithinLimit = makeCounter();
  const eager = Object.create(handler) as Handler;
  eager.onResponseData = (controller, chunk) => {
    if (isWithinLimit(chunk, (reason) => controller.abort(reason))) {
      handler.onResponseData.call(eager, withoutPause(controller), chunk);
    }
  };
  return eager;
}

/** The same handler, except that it never asks the parser to pause and counts the bytes instead. */
function eagerHandler(handler: unknown): unknown {
  if (typeof handler !== "object" || handler === null) return handler;
  if (isHandler(handler)) return withoutPauses(handler);
  return isLegacyHandler(handler) ? legacyWithoutPauses(handler) : handler;
}

/**
 * A dispatcher whose answers are taken as they come, up to a bound. In undici 6 and 7 a server that ends its
 * connection while the parser is paused (a body that is read more slowly than it comes) makes an assertion fail in an
 * event handler, which nothing can catch: it ends the process (nodejs/undici#5360, mended in undici 8 alone). A body
 * that may be held in memory whole needs no pauses.
 */
function unpaused(dispatcher: FetchDispatcher): FetchDispatcher {
  return {
    dispatch: (options, handler) => dispatcher.dispatch(options, eagerHandler(handler)),
  };
}

/** The dispatcher that the built-in fetch uses by itself; undefined where Node keeps it elsewhere. */
export function builtInDispatcher(): FetchDispatcher | undefined {
  // Node loads its fetch, and with it the dispatcher, when one of its globals is touched.
  void globalThis.Headers;
  const global = globalThis as Record<symbol, FetchDispatcher | undefined>;
  // Node 26 has a wrapper for older programs at the first place, and its own at the second.
  const [newer, older] = [2, 1].map(
    (place) => global[Symbol.for(`undici.globalDispatcher.${place}`)],
  );
  return newer ?? older;
}

/** The built-in fetch with a dispatcher in place of its own; its types name a dispatcher of another version. */
export function fetchWith(
  dispatcher: FetchDispatcher,
  url: string,
  init: RequestInit,
): Promise<Response> {
  return fetch(url, { ...init, dispatcher: unpaused(dispatcher) } as unknown as RequestInit);
}
