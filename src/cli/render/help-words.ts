// The words of `--help` that are not about options. Changes when one of them does.

import type { CommandName } from "../flags.ts";

/** What `--help` says about a command. */
export interface CommandWords {
  /** One line for the list of commands: no full stop. */
  readonly summary: string;
  /** A paragraph for the command's own help. */
  readonly description: string;
  readonly examples: readonly string[];
}

/** By command. */
export const commandWords: Readonly<Record<CommandName, CommandWords>> = {
  setup: {
    summary: "make a profile, and try it out",
    description:
      "Makes a profile: asks on a terminal for the issuer and the client id, unless flags give them; shows what the provider offers and which redirect URI to register; signs in; and writes the profile, [profile.default] unless --profile names another. Everything else in the configuration file stays as it is. Other flags of options become part of the profile.",
    examples: [
      "latchkey setup",
      "latchkey setup --profile work --issuer https://id.example.com --client-id cli",
    ],
  },
  login: {
    summary: "sign in and remember it",
    description:
      "Signs in with the browser, always anew, and keeps the result for the other commands. Says on standard error who signed in; standard output stays empty.",
    examples: [
      "latchkey login --issuer https://id.example.com --client-id my-cli",
      "latchkey login --profile work",
      "latchkey login --profile work --no-open-browser",
      "latchkey login --profile work --login-hint bob --save-profile bob",
    ],
  },
  token: {
    summary: "print an access token that is valid now",
    description:
      "Prints the access token alone on standard output: from the cache, refreshed where it has expired, or after a sign-in where nothing else is left.",
    examples: [
      "curl -H @<(latchkey token --profile work --header) https://api.example.com/",
      "latchkey token --profile work --no-interactive",
      "latchkey token --profile work --json",
      "latchkey token --format curl | curl -K - https://api.example.com/",
    ],
  },
  status: {
    summary: "list what is cached, never a token",
    description:
      "Lists the cached sign-ins: all of them, or those of the issuer, client or profile that is named. Uses no network. Ends with 0 whether or not there is one; with --json an empty cache is [].",
    examples: ["latchkey status", "latchkey status --profile work --json"],
  },
  whoami: {
    summary: "show who signed in",
    description:
      "Shows the identity: the claims of the cached ID token, or the answer of the userinfo endpoint where there is none. Never starts a sign-in.",
    examples: ["latchkey whoami --profile work", "latchkey whoami --profile work --json"],
  },
  logout: {
    summary: "forget a sign-in",
    description:
      "Forgets the cached sign-in without any request. --revoke also tells the provider; where that fails, the sign-in is forgotten all the same and the exit status is 1. It also shows the page that ends the provider's session in your browser, where there is one, and opens it on a terminal unless --no-open-browser.",
    examples: ["latchkey logout --profile work --revoke", "latchkey logout --all"],
  },
  exec: {
    summary: "run a program with the token in its environment",
    description:
      "Runs a program with a token that is valid now in LATCHKEY_ACCESS_TOKEN, or in the variable that --env names. Ends as the program ends. The client secret is not handed on.",
    examples: [
      "latchkey exec --profile work -- ./report.sh",
      "latchkey exec --profile work --env API_TOKEN -- node sync.js",
    ],
  },
  completion: {
    summary: "print the completion for a shell",
    description:
      "Prints a script that completes commands, flags, their values and the names of profiles with the Tab key, for bash, zsh or fish. The shell reads it when it starts.",
    examples: [
      "source <(latchkey completion bash)      # in ~/.bashrc",
      "source <(latchkey completion zsh)       # in ~/.zshrc, after compinit",
      "latchkey completion fish | source       # in config.fish",
    ],
  },
  help: {
    summary: "explain a command",
    description: "Explains a command and its flags.",
    examples: ["latchkey help token", "latchkey token --help"],
  },
  version: {
    summary: "print the version",
    description: "Prints the version.",
    examples: ["latchkey --version"],
  },
};

/** One line and the placeholder of each flag that is no option. */
export const flagWords: Readonly<
  Record<string, { readonly summary: string; readonly placeholder?: string }>
> = {
  json: { summary: "print JSON" },
  header: { summary: "print a whole header: Authorization: Bearer …" },
  format: {
    summary:
      "header: as --header; bearer: Bearer …; curl: a line for curl -K -; env: a line for eval in a shell",
    placeholder: "FORM",
  },
  "id-token": { summary: "take the ID token instead" },
  "force-refresh": { summary: "renew it even if the cached one is valid" },
  "min-validity-seconds": {
    summary: "valid for at least so long, in seconds (default\u00a060)",
    placeholder: "N",
  },
  env: {
    summary: "variable for the token (default\u00a0LATCHKEY_ACCESS_TOKEN)",
    placeholder: "NAME",
  },
  interactive: { summary: "sign in where nothing else is left (default\u00a0on)" },
  "save-profile": {
    summary: "write the options of this sign-in as [profile.NAME]",
    placeholder: "NAME",
  },
  replace: { summary: "replace a profile of that name that has other values" },
  revoke: { summary: "also tell the provider" },
  all: { summary: "every sign-in of this cache" },
  profile: {
    summary: "take the options of [profile.NAME]; [profile.default] where nothing is named",
    placeholder: "NAME",
  },
  "grant-type": {
    summary: "client_credentials: the client signs in as itself, without a person",
    placeholder: "GRANT",
  },
  "client-secret-file": {
    summary: "file with the client secret; -: standard input",
    placeholder: "FILE",
  },
  verbose: { summary: "print what happens, one line each, on standard error" },
  help: { summary: "show this" },
  version: { summary: "print the version" },
};

/** The options by what they are about, in the order of `--help`. */
export const optionGroups: readonly (readonly [title: string, options: readonly string[]])[] = [
  [
    "Which sign-in",
    [
      "issuer",
      "clientId",
      "scopes",
      "audience",
      "useServerAudience",
      "resource",
      "acrValues",
      "loginHint",
    ],
  ],
  [
    "Signing in",
    [
      "flow",
      "forceLogin",
      "openBrowser",
      "browserCommand",
      "prompt",
      "maxAge",
      "offlineAccess",
      "pkce",
      "redirectUri",
      "responseMode",
      "callbackHost",
      "callbackPort",
      "callbackTimeoutSeconds",
      "maxUnansweredPrompts",
      "applicationName",
    ],
  ],
  [
    "Provider, where discovery is not to be used",
    ["authorizationEndpoint", "tokenEndpoint", "deviceAuthorizationEndpoint", "jwksUri"],
  ],
  ["Network", ["caCertPath", "httpTimeoutSeconds", "allowInsecureHttp"]],
  ["Cache", ["cachePath"]],
];

/** Where options come from besides flags. */
export const sourceWords =
  "Every option is also an environment variable (--client-id is LATCHKEY_CLIENT_ID) and a key of a profile, a table " +
  "[profile.NAME] with keys such as client-id in the configuration file. A flag counts before the environment, the " +
  "environment before the profile; [profile.default] applies where no profile, issuer or client is named, and without it " +
  "the only cached sign-in. --allow-insecure-http is a flag only; a client secret comes from " +
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
