// Options from text, fast: a small part of what options/parse-text and options/validate accept, nothing beyond it.
// Changes when a kind of option is added. Tests hold it against both.

/** How a value is judged: a letter for each kind, because every byte of this file is paid at every start. */
type Kind = "u" | "t" | "a" | "b" | "s" | "p" | "w" | "h" | "f" | "m" | "x";

/**
 * The options that text can set, each with its kind: URL, text, path (absolute in profiles), boolean, seconds, port,
 * words, host, flow, prompt, secret. A test holds this line equal to the option table.
 */
export const quickOptions: ReadonlyMap<string, Kind> = new Map(
  (
    "issuer:u clientId:t scopes:w audience:t useServerAudience:b caCertPath:a cachePath:a tokenEndpoint:u " +
    "deviceAuthorizationEndpoint:u flow:f forceLogin:b openBrowser:b authorizationEndpoint:u redirectUri:u " +
    "callbackHost:h callbackPort:p callbackTimeoutSeconds:s pkce:b clientSecret:x jwksUri:u offlineAccess:b prompt:m " +
    "loginHint:t browserCommand:t applicationName:t httpTimeoutSeconds:s"
  )
    .split(" ")
    .map((each) => each.split(":") as [string, Kind]),
);

const text = /^[^\0-\x1f\x7f-\x9f\u2028\u2029]{1,4096}$/;
const scope = /^[!#-[\]-~]{1,500}$/;
const url = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost)[:/])[\w.~:/%-]{1,2000}$/;

/** The value that `typed` means, or undefined where only the full program may say. */
export function quickValue(name: string, typed: string): unknown {
  switch (quickOptions.get(name)) {
    case "u":
      return url.test(typed) && URL.canParse(typed) ? typed : undefined;
    case "t":
    case "a":
    case "x":
      return text.test(typed) ? typed : undefined;
    case "b":
      return (
        typed === "true" ||
        typed === "1" ||
        (typed === "false" || typed === "0" ? false : undefined)
      );
    case "s":
      return /^[1-9]\d{0,5}$/.test(typed) ? Number(typed) : undefined;
    case "p":
      return /^[1-9]?\d{1,4}$/.test(typed) && Number(typed) < 65_536 ? Number(typed) : undefined;
    case "w": {
      const words = typed.split(" ").filter((word) => word !== "");
      return words.length <= 200 && words.every((word) => scope.test(word)) ? words : undefined;
    }
    case "h":
      return /^(127\.0\.0\.1|localhost|::1)$/.test(typed) ? typed : undefined;
    case "f":
      return /^(auto|auth_code|device)$/.test(typed) ? typed : undefined;
    case "m":
      return /^(none|login|consent|select_account)$/.test(typed) ? typed : undefined;
    default:
      return undefined;
  }
}

/** `callback-port` → `callbackPort`, where it is an option that text can set. */
export function quickName(flag: string): string | undefined {
  const name = flag.replace(/-[a-z]/g, (pair) => pair.slice(1).toUpperCase());
  return quickOptions.has(name) && !/[A-Z]/.test(flag) ? name : undefined;
}

/** Every option that the environment sets; undefined where the full program has to look. */
export function quickEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> | undefined {
  const options: Record<string, unknown> = {};
  for (const name of quickOptions.keys()) {
    const variable = `LATCHKEY_${name.replace(/[A-Z]/g, "_$&").toUpperCase()}`;
    const typed = environment[variable];
    if (!typed) continue;
    const value = quickValue(name, typed);
    if (value === undefined) return undefined;
    options[name] = value;
  }
  return options;
}
