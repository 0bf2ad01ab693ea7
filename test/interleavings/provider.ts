// A provider with families of tokens, rotation and reuse detection, and what must hold for every request that it gets.
// Changes when providers treat refresh tokens in another way.
import { OidcError } from "../../src/core/errors.ts";
import type { TokenAnswer } from "../../src/flow/flow-world.ts";
import type { AnswerFate } from "./scenario.ts";
import { orAborted, type Machine, type Process } from "./machine.ts";

interface Family {
  isRevoked: boolean;
}

interface Issued {
  readonly serial: number;
  readonly family: Family;
  readonly isOfSignIn: boolean;
  /** Milliseconds since the epoch; refresh tokens never end. */
  expiresAt: number;
  /** The refresh token that took its place. */
  successor?: string;
  /** The refresh token that it was exchanged for. */
  parent?: string;
}

/** One refresh request, as its sender knows it. */
interface Sent {
  readonly refreshToken: string;
  readonly process: Process;
  /** "concluded": the sender has read an answer; "lost": it never will. */
  state: "flying" | "concluded" | "lost";
  isExchanged: boolean;
  isAnswered: boolean;
}

const lifetimeSeconds = 3600;

function invalidGrant(): OidcError {
  return new OidcError("token_request_failed", "The provider refuses the refresh token.", {
    reason: "invalid_grant",
    providerError: "invalid_grant",
  });
}

function networkError(): OidcError {
  return new OidcError("network", "The connection was reset.", { reason: "reset" });
}

/** A provider. */
export class Provider {
  readonly #machine: Machine;
  readonly #issued = new Map<string, Issued>();
  readonly #sent: Sent[] = [];
  readonly #refused = new Set<string>();
  readonly #fates: AnswerFate[];
  /** An administrator, or a logout that revoked, ended sign-ins. */
  hasEndedAll = false;
  /** Whether two requests with one refresh token may be on their way: two locks. */
  isShared = false;
  exchanges = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#fates = [...machine.scenario.answers];
  }

  #issue(family: Family, kind: string, isOfSignIn: boolean, seconds = lifetimeSeconds): string {
    const { serial, now } = this.#machine;
    const token = `${kind}-${String(serial)}`;
    this.#issued.set(token, { serial, family, isOfSignIn, expiresAt: now + seconds * 1000 });
    return token;
  }

  /** Makes an access token end at another time. */
  setEnd(token: string, expiresAt: number): void {
    const issued = this.#issued.get(token);
    if (issued !== undefined) issued.expiresAt = expiresAt;
  }

  /** Nothing is lost any more. */
  answerAllFromNowOn(): void {
    this.#fates.length = 0;
  }

  #answer(
    family: Family,
    isOfSignIn: boolean,
    refreshToken: string | undefined,
    parent?: string,
  ): TokenAnswer {
    const accessToken = this.#issue(family, "access", isOfSignIn);
    const issued = this.#issued.get(accessToken);
    if (issued !== undefined && parent !== undefined) issued.parent = parent;
    const now = Math.floor(this.#machine.now / 1000);
    const issuer = "https://id.example.com";
    return {
      accessToken,
      tokenType: "Bearer",
      scopes: ["openid", "other"],
      issuedAt: now,
      expiresAt: now + lifetimeSeconds,
      ...(refreshToken === undefined ? {} : { refreshToken }),
      claims: { iss: issuer, sub: "alice", aud: "cli", exp: now + lifetimeSeconds, iat: now },
      signatureVerified: true,
      authenticationMethod: "none",
      tokenEndpoint: `${issuer}/token`,
      issuer,
    };
  }

  /** A sign-in that a person has finished. */
  signIn(): TokenAnswer {
    const family = { isRevoked: false };
    return this.#answer(family, true, this.#issue(family, "refresh", true));
  }

  /** One refresh, from its sending to its answer. */
  async refresh(process: Process, refreshToken: string, signal: AbortSignal): Promise<TokenAnswer> {
    this.#checkSend(process, refreshToken);
    const sent: Sent = {
      refreshToken,
      process,
      state: "flying",
      isExchanged: false,
      isAnswered: false,
    };
    this.#sent.push(sent);
    process.atDeath.add(() => {
      this.#concludeIfKept(sent);
      if (sent.state === "flying") sent.state = "lost";
    });
    const fate = this.#fates.shift() ?? "ok";
    let answered: { readonly answer: TokenAnswer } | { readonly error: OidcError } | undefined;
    // What is on the wire arrives, whatever becomes of its sender.
    const arrival = this.#machine.anywhere(`request of ${String(process.id)}`).then(() => {
      answered = this.#receive(sent, fate);
      return fate === "slow"
        ? this.#machine.pass(this.#machine.scenario.slowMilliseconds)
        : undefined;
    });
    const reply = arrival.then(() => this.#machine.step(process, "gets answer"));
    try {
      await orAborted(reply, signal);
    } catch (error) {
      sent.state = "lost";
      throw error;
    }
    if (answered === undefined || fate === "lost-before" || fate === "lost-after") {
      sent.state = "lost";
      throw networkError();
    }
    if ("error" in answered) {
      sent.state = "concluded";
      // Its answer was read, and said nothing about the refresh token.
      throw answered.error;
    }
    // Until it is stored it can still be lost, with its process.
    sent.isAnswered = true;
    process.onStep.add(() => this.#concludeIfKept(sent));
    return answered.answer;
  }

  /** Asked at each step: has the answer found its place? */
  isKept: (refreshToken: string) => boolean = () => true;

  #concludeIfKept(sent: Sent): void {
    if (sent.state !== "flying" || !sent.isAnswered) return;
    const { successor } = this.#issued.get(sent.refreshToken) ?? {};
    if (successor === undefined || this.isKept(successor)) sent.state = "concluded";
  }

  #receive(
    sent: Sent,
    fate: AnswerFate,
  ): { readonly answer: TokenAnswer } | { readonly error: OidcError } | undefined {
    if (fate === "lost-before") return undefined;
    if (fate === "rate-limited") {
      return { error: new OidcError("rate_limited", "Later.") };
    }
    const { rotation } = this.#machine.scenario;
    const issued = this.#issued.get(sent.refreshToken);
    if (issued === undefined || issued.family.isRevoked) return this.#refuse(sent);
    const { family } = issued;
    if (rotation === "none") {
      this.exchanges += 1;
      return { answer: this.#answer(family, false, undefined) };
    }
    if (issued.successor !== undefined) {
      const isUnused = this.#issued.get(issued.successor)?.successor === undefined;
      if (rotation === "grace" && isUnused) {
        sent.isExchanged = true;
        return { answer: this.#answer(family, false, issued.successor, sent.refreshToken) };
      }
      if (rotation !== "single-use") family.isRevoked = true;
      return this.#refuse(sent);
    }
    this.exchanges += 1;
    sent.isExchanged = true;
    issued.successor = this.#issue(family, "refresh", false);
    return { answer: this.#answer(family, false, issued.successor, sent.refreshToken) };
  }

  #refuse(sent: Sent): { readonly error: OidcError } {
    this.#refused.add(sent.refreshToken);
    return { error: invalidGrant() };
  }

  /** A refresh token is sent once, and again only where an answer was lost or said that it was not used. */
  #checkSend(process: Process, refreshToken: string): void {
    const { rotation } = this.#machine.scenario;
    if (this.isShared) return;
    for (const before of this.#sent) {
      if (before.refreshToken !== refreshToken || before.state === "lost") continue;
      const who = `process ${String(process.id)} sends what process ${String(before.process.id)}`;
      if (before.state === "flying") this.#machine.violated(`${who} is just sending`);
      else if (before.isExchanged && rotation !== "none") {
        this.#machine.violated(`${who} has exchanged`);
      }
    }
  }

  /** Ends every sign-in. */
  endAll(): void {
    this.hasEndedAll = true;
    for (const { family } of this.#issued.values()) family.isRevoked = true;
  }

  /** What a program asks for at its logout. */
  revoke(refreshToken: string | undefined): void {
    this.hasEndedAll = true;
    const issued = refreshToken === undefined ? undefined : this.#issued.get(refreshToken);
    if (issued !== undefined) issued.family.isRevoked = true;
  }

  /** How many requests with refresh tokens were sent. */
  get requests(): number {
    return this.#sent.length;
  }

  /** Answers that never reached a record. */
  get losses(): number {
    return this.#sent.filter(({ state }) => state === "lost").length;
  }

  isIssued(token: string): boolean {
    return this.#issued.has(token);
  }

  /** Whether one token is older than another of the same sign-in, and the difference counts. */
  isOlder(token: string | undefined, than: string | undefined): boolean {
    if (token === undefined || than === undefined) return false;
    const [one, other] = [this.#issued.get(token), this.#issued.get(than)];
    if (one === undefined || other === undefined || one.family !== other.family) return false;
    // Where the refresh token stays the same, two answers at a time are as good as each other.
    return (
      one.serial < other.serial && !(this.isShared && this.#machine.scenario.rotation === "none")
    );
  }

  isOfSignIn(token: string): boolean {
    return this.#issued.get(token)?.isOfSignIn === true;
  }

  isAlive(token: string): boolean {
    const issued = this.#issued.get(token);
    return issued !== undefined && !issued.family.isRevoked;
  }

  /** Whether a token is good until then; milliseconds since the epoch. */
  lastsUntil(token: string, instant: number): boolean {
    return (this.#issued.get(token)?.expiresAt ?? 0) > instant;
  }

  /** The refresh token that an access token came for, and that is used up now. */
  parentOf(token: string): string | undefined {
    return this.#issued.get(token)?.parent;
  }

  hasRefused(refreshToken: string): boolean {
    return this.#refused.has(refreshToken);
  }

  /** The refresh token was exchanged already. */
  isUsed(refreshToken: string): boolean {
    return this.#issued.get(refreshToken)?.successor !== undefined;
  }

  /** The refresh token was exchanged, and nobody has what came for it. */
  wasLost(refreshToken: string): boolean {
    return this.#sent.some(
      (sent) => sent.refreshToken === refreshToken && sent.isExchanged && sent.state === "lost",
    );
  }
}
