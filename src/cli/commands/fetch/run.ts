// `latchkey fetch`: sends a request with a token, and prints the answer. Changes when that command does.

import { OidcError } from "../../../core/errors.ts";
import { hostOf } from "../../../core/hosts.ts";
import { shownServer } from "../../../core/server-words.ts";
import type { AccessToken, GetTokenOptions } from "../../../core/types.ts";
import { AuthorizedFetch } from "../../../fetch/authorized-fetch.ts";
import { CredentialTokens } from "../../../fetch/credential-tokens.ts";
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
    `This sign-in is for ${shownServer(server)}, and the request is for ${hostOf(url)}: a token that was obtained for one server is not sent to another.`,
    { remedy: "Name another sign-in with --profile, or none." },
  );
}

/** The session as a credential: what flags ask of the first token is asked once. */
function credentialOf({ line, settings }: CommandContext, { session }: Opened) {
  const { forceRefresh: isForced, ...asked } = tokenRequestOf(line.flags, settings.interactive);
  let forceRefresh = isForced;
  return {
    getToken: (wish: GetTokenOptions = {}): Promise<AccessToken> => {
      const first = forceRefresh;
      forceRefresh = false;
      return session.getToken({ ...asked, forceRefresh: first, ...wish });
    },
  };
}

/** What the standard `fetch` throws, in words. */
function explained(error: unknown, url: URL): unknown {
  if (!(error instanceof TypeError) || !error.message.startsWith("fetch failed")) return error;
  const why = error.cause instanceof Error ? error.cause.message : "there are too many redirects";
  return new OidcError(
    "redirect_refused",
    `What ${hostOf(url)} answered cannot be followed: ${why}.`,
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
  assertSameServer(opened, url);
  const authorized = new AuthorizedFetch({
    tokens: new CredentialTokens(credentialOf(context, opened)),
    transport: wireFetch(await opened.openRequests()),
  });
  const init = { method, headers, signal, ...(body === undefined ? {} : { body }) };
  const response = await authorized.fetch(url, init).catch((error: unknown) => {
    throw explained(error, url);
  });
  const { status } = response;
  const said = `${hostOf(url)} answered with status ${shownStatus(status)}.`;
  if (status >= 400 && fail === true) {
    await response.body?.cancel();
    throw new CommandFault(`${said} [http_status: ${String(status)}]`);
  }
  await writeAnswer(response, output);
  if (status >= 400 && include !== true) context.tell(said);
  return 0;
}
