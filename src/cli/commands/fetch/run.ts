// `latchkey fetch`: sends a request with a token, and prints the answer. Changes when that command does.

import { OidcError } from "../../../core/errors.ts";
import { hostAndPort } from "../../../core/hosts.ts";
import type { GetTokenOptions } from "../../../core/types.ts";
import { openResourceSignIns } from "../../../credential/resource-sign-ins.ts";
import { AuthorizedFetch, type AuthorizedFetchParts } from "../../../fetch/authorized-fetch.ts";
import { CredentialTokens } from "../../../fetch/credential-tokens.ts";
import { ResourceTokens } from "../../../fetch/resource-tokens.ts";
import { assertMaySend } from "../../../fetch/token-origin.ts";
import { wireFetch } from "../../../fetch/wire-fetch.ts";
import { assertWritable, shownStatus, writeAnswer } from "../../answer-output.ts";
import type { CommandContext, Opened } from "../../context.ts";
import { CommandFault } from "../../output.ts";
import { readRequest } from "../../request-input.ts";
import { namesProvider, openForServer, wishOf } from "../../server-tokens.ts";

function tokensOf(
  { session }: Opened,
  wish: () => GetTokenOptions,
): AuthorizedFetchParts["tokens"] {
  return new CredentialTokens({ getToken: (own) => session.getToken({ ...wish(), ...own }) });
}

/** Tokens of the provider that is configured; where none is, of the one that the address itself names. */
async function findTokens(
  context: CommandContext,
  opened: Opened,
  url: URL,
): Promise<AuthorizedFetchParts["tokens"]> {
  const wish = wishOf(context);
  const { options, overrides } = opened;
  // Before a sign-in is looked for: what is wrong is the URL that was typed, not an option.
  if (!namesProvider(context, opened)) assertMaySend(url);
  const known = await openForServer(context, opened, url);
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
