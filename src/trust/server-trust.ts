// Decides whether a server's word about the provider counts, before anything is sent to the issuer that it names.

import { defaultScopes } from "../core/default-scopes.ts";
import { isErrorOf, isOidcError, OidcError, wordingOf } from "../core/errors.ts";
import type { TrustedAnswer } from "../core/prompt.ts";
import { shownServer } from "../core/server-words.ts";
import type { Warn } from "../core/warning.ts";
import { say, sentences, type Wording } from "../core/wording.ts";
import type { ServerConfig } from "../server/server-config.ts";
import { decide, type Standing, type TrustPolicy } from "./decision.ts";
import { isSamePin, type AcceptedBy, type Pin, type PinnedAnswer, type PinStore } from "./pins.ts";
import { changesOf, riskOf, type AskedServer, type ChangedPart } from "./risk.ts";
import { configChanged, issuerUntrusted, type Refusal } from "./trust-errors.ts";

/** A question about a server, for a person. */
export interface TrustQuestion extends TrustedAnswer {
  readonly server: string;
  /** What was accepted before, where it has changed. */
  readonly before: TrustedAnswer | undefined;
}

/**
 * Asks a person: true where they accepted.
 * @throws {OidcError} `aborted`; the signal's reason.
 */
export type TrustAsk = (
  question: TrustQuestion,
  signal: AbortSignal | undefined,
) => Promise<boolean | "unanswered">;

/** What decides in addition to the answer itself. */
export interface TrustCircumstances extends AskedServer {
  /** The server's canonical address: the key of its pin. */
  readonly server: string;
  /** The option `trustServer`. */
  readonly policy: TrustPolicy;
  readonly pins: PinStore;
  /** Undefined where nobody can be asked. */
  readonly ask: TrustAsk | undefined;
  readonly signal: AbortSignal | undefined;
  /** The scopes that will be requested, for the question. Default: those that the server names, else the default ones. */
  readonly scopes?: readonly string[] | undefined;
  /** Told where an answer that was accepted cannot be remembered. Default: nobody. */
  readonly warn?: Warn | undefined;
  /** Whether that is a failure: of whoever accepts on purpose. Default: false. */
  readonly mustBeKept?: boolean | undefined;
}

/** An answer that counts. */
export interface Admission {
  /** Who accepted it: a person, or nobody, because it cannot phish. */
  readonly acceptedBy: AcceptedBy;
  /**
   * Whether the issuer is one that the caller set or a person accepted. A client secret, key or certificate goes to no
   * other (D16).
   */
  readonly isExplicit: boolean;
}

interface Judged {
  readonly pin: Pin | undefined;
  readonly standing: Standing;
  readonly changed: readonly ChangedPart[];
}

// Each round is one in which another process changed the pin meanwhile.
const maxRounds = 8;

async function judge(config: ServerConfig, circumstances: TrustCircumstances): Promise<Judged> {
  const pin = await readPin(circumstances);
  if (pin === undefined) return { pin, standing: "unknown", changed: [] };
  const changed = changesOf(pin, config, circumstances);
  if (changed.length > 0) return { pin, standing: "changed", changed };
  return { pin, standing: pin.acceptedBy === "person" ? "accepted" : "unasked", changed };
}

/** What cannot be read must not count as never seen: the changed answer of a hostile server would be a first one. */
async function readPin({ pins, server }: TrustCircumstances): Promise<Pin | undefined> {
  try {
    return await pins.read(server);
  } catch (error) {
    if (!isOidcError(error)) throw error;
    throw new OidcError(
      "issuer_untrusted",
      say`Whether the provider that ${shownServer(server)} names was accepted before cannot be told. ${wordingOf(error)}`,
      { reason: "pins_unusable", cause: error },
    );
  }
}

function answerOf({ issuer, clientId, audience, scopes }: ServerConfig): PinnedAnswer {
  return { issuer, clientId, audience, scopes };
}

function shown(answer: PinnedAnswer, scopes: readonly string[] | undefined): TrustedAnswer {
  const { issuer, clientId, audience } = answer;
  return {
    issuer,
    clientId,
    scopes: scopes ?? answer.scopes ?? defaultScopes,
    ...(audience === undefined ? {} : { audience }),
  };
}

/** What the person is asked: with what the caller set in the place of what the server says. */
function questionAbout(
  config: ServerConfig,
  { pin, standing }: Judged,
  circumstances: TrustCircumstances,
): TrustQuestion {
  const { server, callerIssuer, callerClientId, scopes } = circumstances;
  const withCallers = (answer: PinnedAnswer): PinnedAnswer => ({
    ...answer,
    issuer: callerIssuer === "" ? answer.issuer : callerIssuer,
    clientId: callerClientId === "" ? answer.clientId : callerClientId,
  });
  if (pin === undefined || standing !== "changed") {
    return { ...shown(withCallers(config), scopes), server, before: undefined };
  }
  // Scopes that the caller set would hide what has changed.
  const before = shown(withCallers(pin), undefined);
  return { ...shown(withCallers(config), undefined), server, before };
}

/** Remembers an answer; false where the pin is another one by now. */
async function remember(
  config: ServerConfig,
  pin: Pin | undefined,
  acceptedBy: AcceptedBy,
  { pins, server, warn, mustBeKept }: TrustCircumstances,
): Promise<boolean> {
  try {
    return await pins.replace(server, pin, { ...answerOf(config), acceptedBy });
  } catch (error) {
    if (!isErrorOf(error, "cache_write_failed") || mustBeKept === true) throw error;
    // Accepted is accepted; the next process asks again.
    warn?.(
      error.code,
      sentences("What this server says could not be remembered.", wordingOf(error)),
    );
    return true;
  }
}

function refused(
  config: ServerConfig,
  { pin, standing, changed }: Judged,
  circumstances: TrustCircumstances,
  how: Refusal,
): OidcError {
  const { server, sendsSecret, callerIssuer } = circumstances;
  if (standing === "changed" && pin !== undefined) {
    return configChanged(server, pin, config, changed, how);
  }
  const isBoundElsewhere = sendsSecret === true && callerIssuer === "";
  const question = questionAbout(config, { pin, standing, changed }, circumstances);
  return issuerUntrusted(question, isBoundElsewhere, how);
}

/** Asks a person, one question at a time for one server; undefined where the pin is to be read again. */
async function askPerson(
  config: ServerConfig,
  judged: Judged,
  ask: TrustAsk,
  circumstances: TrustCircumstances,
): Promise<Admission | undefined> {
  const { pins, server, signal } = circumstances;
  return pins.askAlone(server, signal, async () => {
    // Whoever had to wait may find that it has been answered.
    if (!isSamePin(await readPin(circumstances), judged.pin)) return undefined;
    const answer = await ask(questionAbout(config, judged, circumstances), signal);
    if (answer !== true) {
      const how = answer === "unanswered" ? "unanswered" : "declined";
      throw refused(config, judged, circumstances, how);
    }
    const isKept = await remember(config, judged.pin, "person", circumstances);
    return isKept ? { acceptedBy: "person", isExplicit: true } : undefined;
  });
}

async function tryToAdmit(
  config: ServerConfig,
  circumstances: TrustCircumstances,
): Promise<Admission | undefined> {
  const { policy, callerIssuer, ask } = circumstances;
  const judged = await judge(config, circumstances);
  const { pin, standing } = judged;
  const decision = decide(policy, standing, riskOf(config, circumstances));
  const silently: Admission = { acceptedBy: "first-use", isExplicit: callerIssuer !== "" };
  if (decision === "admit") {
    return standing === "accepted" ? { acceptedBy: "person", isExplicit: true } : silently;
  }
  if (decision === "pin") {
    return (await remember(config, pin, "first-use", circumstances)) ? silently : undefined;
  }
  if (decision === "refuse") throw refused(config, judged, circumstances, "policy");
  if (ask === undefined) throw refused(config, judged, circumstances, "nobody");
  return askPerson(config, judged, ask, circumstances);
}

/**
 * Lets a server's word count, or throws: to be called before any request goes to the issuer that it names.
 * @throws {OidcError} `issuer_untrusted` (reasons `declined`, `unanswered`, `secret_issuer_unbound`, `pins_unusable`),
 * `server_config_changed` (reasons `declined`, `unanswered`), `cache_locked`; the signal's reason.
 * @see RFC 9728 sections 7.3 and 7.6
 */
export async function admitServerConfig(
  config: ServerConfig,
  circumstances: TrustCircumstances,
): Promise<Admission> {
  for (let rounds = 0; rounds < maxRounds; rounds += 1) {
    circumstances.signal?.throwIfAborted();
    const admission = await tryToAdmit(config, circumstances);
    if (admission !== undefined) return admission;
  }
  const remedy: Wording = ["End those that you do not need, and try again."];
  throw new OidcError(
    "cache_locked",
    `Other programs change what is remembered of ${shownServer(circumstances.server)} all the time.`,
    { remedy },
  );
}
