// The words of every page on the loopback listener, in one place. Changes when a wording or a state does.

import { renderPage } from "./page.ts";
import type { Page } from "./page.ts";

/** How a sign-in ended, as far as a shared screen may know: no name, no mail address. */
export type SignInOutcome =
  | { readonly kind: "done" }
  /** The person or the provider said no. */
  | { readonly kind: "refused" }
  /** `code` is the error's code, with its reason where it has one (`id_token_invalid: id_token_aud`). */
  | { readonly kind: "failed"; readonly code: string };

// Codes and reasons are snake_case words; anything else came from outside and is left out (L14).
const codePattern = /^[a-z][a-z0-9_]{0,63}(?:: ?[a-z][a-z0-9_]{0,63})?$/u;

/** The code came back, and the exchange is under way: promises nothing (L17). */
export function finishingPage(applicationName: string | undefined, refreshSeconds: number): Page {
  return renderPage({
    status: 200,
    title: "Finishing…",
    heading: "Finishing sign-in",
    text: "This takes a moment.",
    mood: "neutral",
    applicationName,
    refreshSeconds,
  });
}

/** The true outcome. `provider`: the host at which somebody signed in. */
export function outcomePage(
  outcome: SignInOutcome,
  applicationName: string | undefined,
  provider?: string,
): Page {
  if (outcome.kind === "done") {
    return renderPage({
      status: 200,
      title: "Signed in",
      heading: "You are signed in",
      text: `${provider === undefined ? "" : `This was the sign-in at ${provider}. `}Close this tab and go back to where you started.`,
      mood: "done",
      applicationName,
    });
  }
  if (outcome.kind === "refused") {
    return renderPage({
      status: 200,
      title: "Not signed in",
      heading: "Sign-in was refused",
      text: "Nothing was changed. Run the command again if this was a mistake.",
      mood: "not-done",
      applicationName,
    });
  }
  return renderPage({
    status: 200,
    title: "Not signed in",
    heading: "Sign-in did not finish",
    text: "Where you started it says what to do.",
    ...(codePattern.test(outcome.code) ? { code: outcome.code } : {}),
    mood: "not-done",
    applicationName,
  });
}

/** A callback without this sign-in's state: an older tab, another program, or somebody's attempt. */
export function otherSignInPage(): Page {
  return renderPage({
    status: 400,
    title: "Not this one",
    heading: "This page belongs to another sign-in",
    text: "If you started one, look for its newest tab.",
    mood: "neutral",
  });
}

/** More came along with the request than is read: cookies, as a rule. */
export function tooMuchPage(): Page {
  return renderPage({
    status: 431,
    title: "Not signed in",
    heading: "The browser sent too much",
    text: "It has many cookies of other programs for this address. Delete them, and start the sign-in again.",
    mood: "not-done",
  });
}

/** An address that works once, at the second visit. */
export function openedBeforePage(): Page {
  return renderPage({
    status: 410,
    title: "Not this one",
    heading: "This page was opened before",
    text: "It opens only once. Where you started it says what to do.",
    mood: "not-done",
  });
}

/** Everything that is not for us, with the status that says why. */
export function nothingHerePage(status: 400 | 403 | 404 | 405 | 408 | 413 | 415 | 421): Page {
  return renderPage({ status, title: "Nothing here", heading: "Nothing here", mood: "neutral" });
}
