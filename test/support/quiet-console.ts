// Changes when oidc-provider words its notices differently.

/** A notice or warning that oidc-provider prints for people who run it in production; colour codes may stand before it. */
const noticeOfTheProvider = /^(?:\u001b\[[\d;]*m)?oidc-provider (?:NOTICE|WARNING): /;

let installed = false;

/**
 * Keeps oidc-provider's own notices off the console, and nothing else: they warn about development defaults that a
 * test wants, on every start. Call it before oidc-provider is imported, since it prints while it loads.
 */
export function hideProviderNotices(): void {
  if (installed) return;
  installed = true;
  for (const method of ["info", "warn"] as const) {
    const original = console[method].bind(console);
    console[method] = (...values: unknown[]): void => {
      if (typeof values[0] === "string" && noticeOfTheProvider.test(values[0])) return;
      original(...values);
    };
  }
}
