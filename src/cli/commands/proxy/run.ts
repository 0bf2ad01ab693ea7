// `latchkey proxy`: listens for programs that cannot send a token. Changes when that command does.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { OidcError } from "../../../core/errors.ts";
import { hostAndPort } from "../../../core/hosts.ts";
import { maxUrlCharacters } from "../../../core/limits.ts";
import { loadPart } from "../../../core/load.ts";
import { say, signInAnew } from "../../../core/wording.ts";
import type { GetTokenOptions } from "../../../core/types.ts";
import type { TokenGiver } from "../../../fetch/credential-tokens.ts";
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
import { namesProvider, openForServer, wishOf } from "../../server-tokens.ts";
import { tellOfSignIn } from "../../tell-sign-in.ts";
import type { ProxyContext, ProxyKind, StartedProxy } from "./started-proxy.ts";

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

/** @throws {OidcError} `invalid_option`. */
async function kindFor(url: URL): Promise<ProxyKind> {
  if (/^postgres(?:ql)?:$/.test(url.protocol)) {
    const { proxyForPostgres } = await loadPart(() => import("./postgres.ts"));
    return proxyForPostgres(url);
  }
  const { proxyForHttp } = await loadPart(() => import("./http.ts"));
  return proxyForHttp(url);
}

/** The sign-in whose token is sent, and the words that name it. */
interface NamedSignIn {
  readonly opened: Opened;
  readonly words: readonly string[];
}

/** @throws {OidcError} `invalid_option`: it is for another server; `login_required`: there is none for this one. */
async function signInOf(context: CommandContext, kind: ProxyKind): Promise<NamedSignIn> {
  const { upstream, saysWhereToSignIn } = kind;
  const { configuration } = context.line;
  const opened = await context.open(true);
  const isNamed = namesProvider(context, opened);
  // Without a provider the sign-in itself says what is missing.
  if (!saysWhereToSignIn && !isNamed) return { opened, words: configuration };
  const found = await openForServer(context, opened, upstream);
  if (found === undefined) {
    throw new OidcError("login_required", `There is no sign-in for ${hostAndPort(upstream)}.`, {
      remedy: say`${signInAnew}`,
    });
  }
  const words = isNamed ? configuration : [...configuration, `--server=${upstream.origin}`];
  return { opened: found, words };
}

/** A person is asked now, if at all. */
async function signIn(
  context: CommandContext,
  { session, world, options }: Opened,
  request: GetTokenOptions,
): Promise<void> {
  const { settings, signal } = context;
  const { source } = await session.getToken({ ...request, signal });
  const record = source === "login" ? await session.current() : undefined;
  if (record === undefined || settings.kind !== "interactive") return;
  const { offlineAccess } = options;
  const about = { now: new Date(world.clock.now()), offlineAccess };
  tellOfSignIn(context, { record, before: undefined }, about);
}

/** What failed is told once until something else does: programs ask again and again. */
function tellOnce(context: CommandContext, words: readonly string[]): (error: OidcError) => void {
  let last = "";
  return (error) => {
    const paragraph = errorParagraph(error, words);
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
async function placeOf(context: CommandContext, kind: ProxyKind): Promise<ListenPlace> {
  const { line, machine } = context;
  const { listen } = line.flags;
  if (typeof listen === "string") {
    const place = readListenPlace(listen, (path) => absolutePath(path, machine));
    return place.kind === "port" ? place : { kind: "socket", path: kind.socketAt(place.path) };
  }
  if (machine.platform === "win32") {
    throw refuse("A proxy listens on a port here.", "Add --listen 127.0.0.1:8080.");
  }
  return { kind: "socket", path: join(await ownFolder(context), kind.ownSocket) };
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
  const kind = await kindFor(url);
  assertMaySend(kind.upstream);
  const place = await placeOf(context, kind);
  if (place.kind === "socket" && line.flags["secret-file"] !== undefined) {
    throw refuse(
      "--secret-file is for clients of a port, and this proxy listens on a socket.",
      "Add --listen 127.0.0.1:8080, or leave it away: the rights of the socket's folder decide.",
    );
  }
  const [secretFile, secret] =
    place.kind === "port" ? await secretOf(context, kind.name) : [undefined, undefined];
  const { opened, words } = await signInOf(context, kind);
  const wish = wishOf(context);
  // What was forced is forced when it starts, and not for a request.
  await signIn(context, opened, wish());
  const { session, world } = opened;
  const { clock } = world;
  const getToken: TokenGiver["getToken"] = (own) => session.getToken({ ...wish(), ...own });
  const parts: ProxyContext = {
    tokens: new ProxyTokens({ getToken }, clock),
    dialer: await opened.openRequests(),
    secret,
    clock,
    words: (error) => errorParagraph(error, words),
    onFailure: tellOnce(context, words),
  };
  return serve(context, kind.start(parts, place), place, secretFile);
}
