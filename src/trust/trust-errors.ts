// What is said where a server's word does not count, and the words that a question about it shares.

import { OidcError } from "../core/errors.ts";
import { serverScopes, serverWord, shownAddress, shownServer } from "../core/server-words.ts";
import { acceptServer, option, say, type Wording } from "../core/wording.ts";
import type { TrustedAnswer } from "../core/prompt.ts";
import type { PinnedAnswer } from "./pins.ts";
import { scopesBeyond, type ChangedPart } from "./risk.ts";

/** Why an answer is not accepted: a person said no, gave no answer, could not be asked; or only pins count. */
export type Refusal = "declined" | "unanswered" | "nobody" | "policy";

function why(how: Refusal): string {
  const ways: Readonly<Record<Refusal, string>> = {
    declined: "That was refused.",
    unanswered: "Nobody answered in time.",
    nobody: "Nobody can be asked here.",
    policy: "Nobody has accepted that, and nobody is asked.",
  };
  return ways[how];
}

const nothingSent = "Nothing was sent there.";

function reasonOf(how: Refusal): "declined" | "unanswered" | undefined {
  return how === "declined" || how === "unanswered" ? how : undefined;
}

/** What is no address is an object of a program, which no command can ask. */
function howToAccept(server: string): Wording {
  const isAddress = /^[\x21-\x7e]+$/.test(server) && URL.canParse(server);
  return isAddress
    ? [acceptServer(server)]
    : say`Accept it in ${option("onPrompt")} (event trustQuestion).`;
}

/** The first answer of a server that is not accepted. */
export function issuerUntrusted(
  { server, issuer, clientId, scopes }: TrustedAnswer & { readonly server: string },
  isSecretUnbound: boolean,
  how: Refusal,
): OidcError {
  const client = clientId === "" ? "" : ` as client ${serverWord(clientId)}`;
  const wanted = scopes.length === 0 ? "" : ` for ${serverScopes(scopes)}`;
  const asks = `${shownServer(server)} asks you to sign in at ${shownAddress(issuer)}${client}${wanted}.`;
  const remedy = howToAccept(server);
  if (isSecretUnbound && reasonOf(how) === undefined) {
    return new OidcError(
      "issuer_untrusted",
      say`${asks} The client's secret goes to no issuer that nobody has accepted. ${nothingSent}`,
      {
        reason: "secret_issuer_unbound",
        remedy: [...say`Set ${option("issuer")} to it, if it is yours. `, ...remedy],
      },
    );
  }
  return new OidcError("issuer_untrusted", `${asks} ${why(how)} ${nothingSent}`, {
    reason: reasonOf(how),
    remedy,
  });
}

function sideBySide(
  before: PinnedAnswer,
  now: PinnedAnswer,
  changed: readonly ChangedPart[],
): string {
  const named = (word: string | undefined): string =>
    word === undefined || word === "" ? "none" : serverWord(word);
  const more = serverScopes(scopesBeyond(before.scopes, now.scopes));
  const told: Readonly<Record<ChangedPart, string>> = {
    issuer: `issuer ${shownAddress(before.issuer)} before, now ${shownAddress(now.issuer)}`,
    clientId: `client ${named(before.clientId)} before, now ${named(now.clientId)}`,
    audience: `audience ${named(before.audience)} before, now ${named(now.audience)}`,
    scopes: `scopes in addition to those before: ${more}`,
  };
  return changed.map((part) => told[part]).join("; ");
}

/** The answer of a server that is not the one which was accepted. */
export function configChanged(
  server: string,
  before: PinnedAnswer,
  now: PinnedAnswer,
  changed: readonly ChangedPart[],
  how: Refusal,
): OidcError {
  const asks = `${shownServer(server)} does not say what it said before: ${sideBySide(before, now, changed)}.`;
  const verdict = how === "declined" || how === "unanswered" ? ` ${why(how)}` : "";
  return new OidcError("server_config_changed", `${asks}${verdict} ${nothingSent}`, {
    reason: reasonOf(how),
    remedy: ["Ask whoever runs that server whether it is their change. ", ...howToAccept(server)],
  });
}
