// What is to be decided about every error: types alone.

/** Everything that is decided about an error. */
export interface Decisions {
  /** Exit status of the command line. */
  readonly exitCode: 1 | 2 | 3 | 4 | 5 | 6;
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retry: "retryable" | "final";
  /**
   * Whether it is over by itself, so that a token that is still good is better than the error. `portal`: what a captive
   * portal makes of a request, which is over as soon as somebody has signed in there.
   */
  readonly duration: "transient" | "portal" | "lasting";
  /** Whose failure it is where calls share their work: all of them, those that want the same, or one caller or process. */
  readonly concerns: "everybody" | "variant" | "caller";
  /** A person is needed, said no, or did something else than what was asked (nothing at all, too); or has no part in it. */
  readonly person: "needed" | "refused" | "involved" | "none";
  /** What became of the request: it never left, was refused without any effect, or nobody knows. */
  readonly request: "unsent" | "refused" | "unknown";
  /** Where two methods of signing in race: whether the other one still counts. */
  readonly race: "one" | "all";
  /** Whether the discovery document that is kept may be the reason, and is to be read anew. */
  readonly document: "doubted" | "kept";
  /** What a refusal is about. */
  readonly refuses: "refreshToken" | "idToken" | "target" | "client" | "nothing";
  /** Whether a call goes on as if there were no cache. One that others can read is no such case. */
  readonly cache: "absent" | "counts";
}
