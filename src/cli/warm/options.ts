// Which options and flags a warm start takes, and which of their values: a small part of what options/validate and
// arguments.ts accept, nothing beyond it. Changes when an option or a flag of `latchkey token` is added.
//
// The quick-* files are what the warm command is bundled from. Every byte of them is compiled at every start, about
// 500 instructions each (measured), so they know the usual alone and say nothing about the rest: the full program does.

/**
 * Flags, each with its kind: URL, text, path (absolute in profiles), boolean, seconds, number, count, port, words, one listed
 * value, host, flow, prompt, response mode, secret, grant; in capitals those that say nothing of the sign-in: switch,
 * negatable switch, name, number, format. A test holds this line against both tables.
 */
const kinds =
  " issuer:u client-id:t scopes:w audience:t use-server-audience:b ca-cert-path:a cache-path:a token-endpoint:u " +
  "device-authorization-endpoint:u flow:f force-login:b open-browser:b authorization-endpoint:u redirect-uri:u " +
  "callback-host:h callback-port:p callback-timeout-seconds:s pkce:b client-secret:x resource:u jwks-uri:u offline-access:b " +
  "prompt:m max-age:n acr-values:l login-hint:t max-unanswered-prompts:c response-mode:r browser-command:t application-name:t http-timeout-seconds:s " +
  "grant-type:g json:S header:S format:F id-token:S interactive:I profile:N client-secret-file:N min-validity-seconds:D ";

/** The kind of a flag, "" for one that is not known here. */
export function quickKind(flag: string): string {
  const at = flag.includes(" ") || flag.includes(":") ? -1 : kinds.indexOf(` ${flag}:`);
  return at === -1 ? "" : kinds.charAt(at + flag.length + 2);
}

function isUsualUrl(text: string): boolean {
  const isSafe =
    text.startsWith("https://") ||
    text.startsWith("http://127.0.0.1:") ||
    text.startsWith("http://localhost:");
  return isSafe && text.length <= 2000 && /^[\w.~:/%-]+$/.test(text) && URL.canParse(text);
}

/** True for a value that is right beyond doubt; a doubtful one is the full program's to judge. */
export function isUsual(kind: string, text: string): boolean {
  switch (kind) {
    case "u":
      return isUsualUrl(text);
    case "t":
    case "a":
    case "x":
    case "N":
      return text !== "" && text.length <= 4096 && !/[\0-\x1f\x7f-\x9f\u2028\u2029]/.test(text);
    case "b":
    case "I":
      return /^(true|false|1|0)$/.test(text);
    case "s":
      return /^[1-9]\d{0,5}$/.test(text);
    case "n":
      return /^\d{1,6}$/.test(text);
    case "c":
      return /^[1-9]\d{0,2}$/.test(text);
    case "l":
      return /^[\w.:/-]{1,200}$/.test(text);
    case "D":
      return /^\d{1,9}$/.test(text);
    case "p":
      return /^\d{1,5}$/.test(text) && Number(text) < 65_536;
    case "w":
      return text.length <= 500 && /^[!#-[\]-~ ]+$/.test(text);
    case "h":
      return /^(127\.0\.0\.1|localhost|::1)$/.test(text);
    case "f":
      return /^(auto|auth_code|device)$/.test(text);
    case "r":
      return /^(query|form_post)$/.test(text);
    case "g":
      return text === "client_credentials";
    case "F":
      return /^(header|bearer|curl|env)$/.test(text);
    case "m":
      return /^(none|login|consent|select_account)$/.test(text);
    default:
      return false;
  }
}

/** Flags and options as text, by the name of their flag. */
export type Given = Record<string, string>;

/** Every option that the environment sets; undefined where the full program has to look. */
export function quickEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Given | undefined {
  const given: Given = {};
  for (const variable of Object.keys(environment)) {
    if (!variable.startsWith("LATCHKEY_")) continue;
    const text = environment[variable];
    const flag = variable.slice(9).toLowerCase().replaceAll("_", "-");
    if (!text || variable === "LATCHKEY_ACCESS_TOKEN") continue;
    const kind = variable === variable.toUpperCase() ? quickKind(flag) : "";
    // Of what is no option, these two alone are variables too; one that is not known is worth a warning.
    const isKnown = kind >= "a" || flag === "profile" || flag === "interactive";
    if (!isKnown || !isUsual(kind, text)) return undefined;
    given[flag] = text;
  }
  return given;
}
