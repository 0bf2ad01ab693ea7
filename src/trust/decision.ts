// What is done with a server's answer, as a table: the policy, what is known of the server, and what the answer could do.

/**
 * Whom `trustServer` lets in.
 * - "first-use": an answer that cannot phish is accepted silently, any other after a question.
 * - "ask": every first answer is asked about.
 * - "pinned": what was accepted before, and a server on loopback.
 */
export type TrustPolicy = "first-use" | "ask" | "pinned";

/**
 * What is known of a server.
 * - "unknown": nothing.
 * - "unasked": its answer is the pinned one, which nobody was asked about.
 * - "accepted": its answer is the one that a person accepted.
 * - "changed": its answer differs from the pinned one.
 */
export type Standing = "unknown" | "unasked" | "accepted" | "changed";

/**
 * What an answer could do to somebody who has not seen it.
 * - "loopback": nothing, for the server is on this machine.
 * - "harmless": no phishing, because the caller set the client, or the issuer is on the server's own host.
 * - "phishing": send the person to a provider or a client of a stranger.
 */
export type Risk = "loopback" | "harmless" | "phishing";

/** `pin`: accepted silently, and remembered. `ask`: where somebody can be asked, else as `refuse`. */
export type Decision = "admit" | "pin" | "ask" | "refuse";

type ByRisk = Readonly<Record<Risk, Decision>>;

const always = (decision: Decision): ByRisk => ({
  loopback: decision,
  harmless: decision,
  phishing: decision,
});

// A pin that nobody was asked about admits only what would be admitted unasked today: it was made by a call whose own
// options kept the answer from phishing, and another call may not have set them.
const table: Readonly<Record<TrustPolicy, Readonly<Record<Standing, ByRisk>>>> = {
  "first-use": {
    unknown: { loopback: "pin", harmless: "pin", phishing: "ask" },
    unasked: { loopback: "admit", harmless: "admit", phishing: "ask" },
    accepted: always("admit"),
    changed: always("ask"),
  },
  ask: {
    unknown: always("ask"),
    unasked: always("ask"),
    accepted: always("admit"),
    changed: always("ask"),
  },
  pinned: {
    unknown: { loopback: "pin", harmless: "refuse", phishing: "refuse" },
    unasked: { loopback: "admit", harmless: "admit", phishing: "refuse" },
    accepted: always("admit"),
    changed: always("refuse"),
  },
};

/** What is done with an answer. */
export function decide(policy: TrustPolicy, standing: Standing, risk: Risk): Decision {
  return table[policy][standing][risk];
}
