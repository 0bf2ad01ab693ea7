// `latchkey proxy`: listens for programs that cannot send a token. Changes when that command does.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { OidcError } from "../../../core/errors.ts";
import { hostAndPort } from "../../../core/hosts.ts";
import { maxUrlCharacters } from "../../../core/limits.ts";
import { say, signInAnew } from "../../../core/wording.ts";
import { ensurePrivateFolder } from "../../../files/atomic-write.ts";
import { assertMaySend } from "../../../fetch/token-origin.ts";
import { createProcessLock } from "../../../lock/protocol.ts";
import { absolutePath, stateFolder } from "../../../options/paths.ts";
import { readListenPlace, type ListenPlace } from "../../../proxy/listen-place.ts";
import { endListening, listenAt, noteConnections } from "../../../proxy/listen.ts";
import { ProxyTokens } from "../../../proxy/proxy-tokens.ts";
import { secretIn } from "../../../proxy/secret.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { errorParagraph } from "../../render/errors.ts";
import { openForServer, wishOf } from "../../server-tokens.ts";
import { tellOfSignIn } from "../../tell-sign-in.ts";
import { proxyForHttp } from "./http.ts";
import type { ProxyContext, StartedProxy } from "./started-proxy.ts";

/** Shorter than the program has to end once it is asked to. */
const graceMilliseconds = 1500;

function refuse(summary: string, remedy?: string): OidcError {
  return new OidcError("invalid_option", summary, { remedy });
}

/** A host alone means https. @throws {OidcError} `invalid_option`. */
function serverAddress(typed: string): URL {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `https://${typed}`);
  if (url === null || url.hostname === "" || typed.length > maxUrlCharacters) {
    throw refuse("URL is not an address.", "It looks like https://api.example.com.");
  }
  if (url.password !== "") {
    throw refuse("URL holds a password.", "Take it out: the proxy sends a token.");
  }
  return url;
}

/** The sign-in whose token is sent, and a person is asked now if at all. */
async function signedIn(context: CommandContext, url: URL): Promise<Opened> {
  const { settings, signal } = context;
  const opened = await openForServer(context, await context.open(true), url);
  if (opened === undefined) {
    throw new OidcError("login_required", `There is no sign-in for ${hostAndPort(url)}.`, {
      remedy: say`${signInAnew}`,
    });
  }
  const { session, world, options } = opened;
  const { source } = await session.getToken({ ...wishOf(context)(), signal });
  const record = source === "login" ? await session.current() : undefined;
  if (record !== undefined && settings.kind === "interactive") {
    const { offlineAccess } = options;
    const about = { now: new Date(world.clock.now()), offlineAccess };
    tellOfSignIn(context, { record, before: undefined }, about);
  }
  return opened;
}

/** What failed is told once until something else does: programs ask again and again. */
function tellOnce(context: CommandContext): (error: OidcError) => void {
  let last = "";
  return (error) => {
    const paragraph = errorParagraph(error, context.line.configuration);
    if (paragraph !== last) context.tell(paragraph);
    last = paragraph;
  };
}

/** The folder of sockets and secrets that nobody named. */
async function ownFolder(context: CommandContext): Promise<string> {
  const folder = join(stateFolder(context.machine), "proxy");
  await ensurePrivateFolder(folder);
  return folder;
}

/** Where it listens. @throws {OidcError} `invalid_option`. */
async function placeOf(
  context: CommandContext,
  socketIn: (folder: string) => string,
): Promise<ListenPlace> {
  const { line, machine } = context;
  const { listen } = line.flags;
  if (typeof listen === "string") {
    return readListenPlace(listen, (path) => absolutePath(path, machine));
  }
  if (machine.platform === "win32") {
    throw refuse("A proxy listens on a port here.", "Add --listen 127.0.0.1:8080.");
  }
  return { kind: "socket", path: socketIn(await ownFolder(context)) };
}

async function secretOf(
  context: CommandContext,
  name: string,
): Promise<[path: string, secret: string]> {
  const { line, machine } = context;
  const named = line.flags["secret-file"];
  const path =
    typeof named === "string"
      ? absolutePath(named, machine)
      : join(await ownFolder(context), `${name}.secret`);
  return [path, secretIn(path, randomBytes)];
}

/** Serves until the signal. */
async function serve(
  context: CommandContext,
  started: StartedProxy,
  place: ListenPlace,
  secretFile: string | undefined,
): Promise<never> {
  const { machine, signal } = context;
  const { server } = started;
  const sockets = noteConnections(server);
  const clock = started.clock;
  const folder = stateFolder(machine);
  const lock = createProcessLock({ folder, clock, randomBytes });
  const port = await listenAt(server, place, lock, signal);
  const { address, hint } = started.describe(place, port, secretFile);
  context.print(`${address}\n`);
  context.tell(hint);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await endListening(server, sockets, graceMilliseconds);
  throw signal.reason;
}

/** Listens, and runs until it is interrupted. */
export async function run(context: CommandContext): Promise<number> {
  const { line } = context;
  const url = serverAddress(line.arguments["url"] ?? "");
  const kind = proxyForHttp(url);
  assertMaySend(kind.upstream);
  const place = await placeOf(context, kind.socketIn);
  if (place.kind === "socket" && line.flags["secret-file"] !== undefined) {
    throw refuse(
      "--secret-file is for clients of a port, and this proxy listens on a socket.",
      "Add --listen 127.0.0.1:8080, or leave it away: the rights of the socket's folder decide.",
    );
  }
  const [secretFile, secret] =
    place.kind === "port" ? await secretOf(context, kind.name) : [undefined, undefined];
  const opened = await signedIn(context, kind.upstream);
  const wish = wishOf(context);
  const { clock } = opened.world;
  // What was forced was forced when it started.
  wish();
  const giver = {
    getToken: (own: object) => opened.session.getToken({ ...wish(), ...own }),
  };
  const onFailure = tellOnce(context);
  const parts: ProxyContext = {
    tokens: new ProxyTokens(giver, clock),
    dialer: await opened.openRequests(),
    secret,
    clock,
    words: (error) => errorParagraph(error, line.configuration),
    onFailure,
  };
  return serve(context, kind.start(parts, place), place, secretFile);
}
