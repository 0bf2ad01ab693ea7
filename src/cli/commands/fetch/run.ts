// `latchkey fetch`: sends a request with a token, and prints the answer. Changes when that command does.

import { OidcError } from "../../../core/errors.ts";
import { hostAndPort } from "../../../core/hosts.ts";
import { shownServer } from "../../../core/server-words.ts";
import type { GetTokenOptions } from "../../../core/types.ts";
import { openResourceSignIns } from "../../../credential/resource-sign-ins.ts";
import { AuthorizedFetch, type AuthorizedFetchParts } from "../../../fetch/authorized-fetch.ts";
import { CredentialTokens } from "../../../fetch/credential-tokens.ts";
import { ResourceTokens } from "../../../fetch/resource-tokens.ts";
import { assertMaySend } from "../../../fetch/token-origin.ts";
import { wireFetch } from "../../../fetch/wire-fetch.ts";
import { assertWritable, shownStatus, writeAnswer } from "../../answer-output.ts";
import { tokenRequestOf } from "../../cached-token.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { CommandFault } from "../../output.ts";
import { readRequest } from "../../request-input.ts";

/** A token that was obtained for one server is not sent to another. @throws {OidcError} `invalid_option`. */
function assertSameServer({ options: { server } }: Opened, url: URL): void {
  if (typeof server !== "string") return;
  const named = URL.parse(server.replace(/^grpc/i, "http"));
  if (named?.origin === url.origin) return;
  throw new OidcError(
    "invalid_option",
    `This sign-in is for ${shownServer(server)}, and the request is for ${hostAndPort(url)}: a token that was obtained for one server is not sent to another.`,
    { remedy: "Name another sign-in with --profile, or none." },
  );
}

/** What flags ask of a token; that it be renewed, of the first one alone. */
function wishOf({ line, settings }: CommandContext): () => GetTokenOptions {
  const { forceRefresh: isForced, ...asked } = tokenRequestOf(line.flags, settings.interactive);
  let forceRefresh = isForced;
  return () => {
    const wish = { ...asked, forceRefresh };
    forceRefresh = false;
    return wish;
  };
}

function tokensOf(
  { session }: Opened,
  wish: () => GetTokenOptions,
): AuthorizedFetchParts["tokens"] {
  return new CredentialTokens({ getToken: (own) => session.getToken({ ...wish(), ...own }) });
}

/** A sign-in that `latchkey login --server` made for the server of an address. */
async function signInFor(
  { settings, openFor }: CommandContext,
  { options: { clientSecret } }: Opened,
  url: URL,
): Promise<Opened | undefined> {
  for (const server of new Set([`${url.origin}${url.pathname}`, url.origin])) {
    // A secret that was read is not read again: standard input would be at its end.
    const secret = clientSecret === undefined ? {} : { clientSecret };
    const given = { ...settings.given, ...secret, server };
    const opened = await openFor({ ...settings, given, clientSecretFile: undefined }, true);
    if ((await opened.session.current()) !== undefined) return opened;
  }
  return undefined;
}

/** Tokens of the provider that is configured; where none is, of the one that the address itself names. */
async function findTokens(
  context: CommandContext,
  opened: Opened,
  url: URL,
): Promise<AuthorizedFetchParts["tokens"]> {
  const wish = wishOf(context);
  const { options, overrides } = opened;
  const isNamed = options.issuer !== "" || options.server !== undefined;
  if (isNamed || context.settings.kind === "client") {
    assertSameServer(opened, url);
    return tokensOf(opened, wish);
  }
  // Before a sign-in is looked for: what is wrong is the URL that was typed, not an option.
  assertMaySend(url);
  const known = await signInFor(context, opened, url);
  context.nameSignIn([...context.line.configuration, `--server=${url.origin}`]);
  if (known !== undefined) return tokensOf(known, wish);
  return new ResourceTokens(openResourceSignIns(options, overrides, wish));
}

/** What the standard `fetch` throws, in words. */
function explained(error: unknown, url: URL): unknown {
  if (!(error instanceof TypeError) || !error.message.startsWith("fetch failed")) return error;
  const why = error.cause instanceof Error ? error.cause.message : "there are too many redirects";
  return new OidcError(
    "redirect_refused",
    `What ${hostAndPort(url)} answered cannot be followed: ${why}.`,
    {
      remedy: "Is the address right?",
    },
  );
}

/** Sends the request; its answer's status decides about the exit status with `--fail` alone. */
export async function run(context: CommandContext): Promise<number> {
  const { line, machine, settings, signal } = context;
  const { output: file, include, fail } = line.flags;
  const isInputTaken = settings.clientSecretFile === "-";
  const request = await readRequest(line, { machine, isInputTaken, signal });
  const output = { file: typeof file === "string" ? file : undefined, hasHead: include === true };
  assertWritable(output);
  const opened = await context.open(true);
  const { url, method, headers, body } = request;
  const authorized = new AuthorizedFetch({
    tokens: await findTokens(context, opened, url),
    transport: wireFetch(await opened.openRequests()),
  });
  const init = { method, headers, signal, ...(body === undefined ? {} : { body }) };
  const response = await authorized.fetch(url, init).catch((error: unknown) => {
    throw explained(error, url);
  });
  const { status } = response;
  const said = `${hostAndPort(url)} answered with status ${shownStatus(status)}.`;
  if (status >= 400 && fail === true) {
    await response.body?.cancel();
    throw new CommandFault(`${said} [http_status: ${String(status)}]`);
  }
  await writeAnswer(response, output);
  if (status >= 400 && include !== true) context.tell(said);
  return 0;
}
