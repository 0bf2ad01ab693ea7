// The words of `--help` that are about all commands. Changes when one of them does.

/** Where options come from in addition to flags. */
export const sourceWords =
  "Every option is also an environment variable (--client-id is LATCHKEY_CLIENT_ID) and a key of a profile, a table " +
  "[profile.NAME] with keys such as client-id in the configuration file. A flag counts before the environment, the " +
  "environment before the profile; [profile.default] applies where no profile, issuer, server or client is named, and without " +
  "it the only cached sign-in. --allow-insecure-http is a flag only; a client secret comes from " +
  "LATCHKEY_CLIENT_SECRET or --client-secret-file, never from a flag. LATCHKEY_LOG=debug is --verbose.";

/** What exit statuses mean. */
export const exitWords: readonly (readonly [string, string])[] = [
  ["0", "done"],
  ["1", "any other failure"],
  ["2", "wrong use: a flag, an option, a file"],
  ["3", "a person has to sign in"],
  ["4", "access denied"],
  ["5", "time ran out"],
  ["6", "network, TLS or rate limit"],
  ["130, 143", "interrupted, terminated"],
];

/** The examples of the overview. */
export const overviewExamples: readonly string[] = [
  "latchkey setup",
  "latchkey login --issuer https://id.example.com --client-id my-cli",
  "latchkey token --issuer https://id.example.com --client-id my-cli",
  "latchkey status",
];
