// The flags of kubelogin's `get-token` in Latchkey's words, so that a kubeconfig written for it works with one word
// changed. See https://github.com/int128/kubelogin/blob/master/docs/usage.md

/** What was understood. */
export interface Translated {
  readonly argumentList: readonly string[];
  /** A client secret that stood in the argument list: handed on by the environment, where it is no worse. */
  readonly clientSecret: string | undefined;
  /** Why it is refused. */
  readonly refusal: string | undefined;
}

const renamed: Readonly<Record<string, string>> = {
  "oidc-issuer-url": "issuer",
  "oidc-client-id": "client-id",
  "browser-command": "browser-command",
  "authentication-timeout-sec": "callback-timeout-seconds",
  "certificate-authority": "ca-cert-path",
};
const switches: Readonly<Record<string, readonly string[]>> = {
  "oidc-use-access-token": ["--access-token"],
  "skip-open-browser": ["--no-open-browser"],
  "force-refresh": ["--force-refresh"],
};
/** What means nothing here: the cache and its place are Latchkey's own. */
const ignored = new Set(["token-cache-dir", "token-cache-storage", "v", "oidc-pkce-method"]);
const grants: Readonly<Record<string, readonly string[]>> = {
  auto: [],
  authcode: ["--flow=auth_code"],
  "authcode-keyboard": ["--flow=auth_code", "--no-open-browser"],
  "device-code": ["--flow=device"],
  "client-credentials": ["--grant-type=client_credentials"],
};
const parameters: Readonly<Record<string, string>> = {
  audience: "audience",
  resource: "resource",
  prompt: "prompt",
  login_hint: "login-hint",
  acr_values: "acr-values",
  max_age: "max-age",
};
const refused: Readonly<Record<string, string>> = {
  "insecure-skip-tls-verify":
    "--insecure-skip-tls-verify would hand tokens to whoever answers. Name the authority with --certificate-authority.",
  "certificate-authority-data":
    "--certificate-authority-data is not taken. Write the certificate into a file, and name that with --certificate-authority.",
  username: "--username is for the password grant, which Latchkey does not have. Leave it away.",
  password: "--password is for the password grant, which Latchkey does not have. Leave it away.",
};
const defaultAddress = "127.0.0.1:8000";

/** `--name=value` and `--name value` alike; a switch may have a value too. */
interface Typed {
  readonly name: string;
  readonly value: string;
}

class Translation {
  readonly kept: string[] = [];
  readonly scopes: string[] = ["openid"];
  readonly addresses: string[] = [];
  clientSecret: string | undefined;
  refusal: string | undefined;
  redirectUri: string | undefined;

  take({ name, value }: Typed): void {
    const own = renamed[name];
    if (own !== undefined) this.kept.push(`--${own}=${value}`);
    else if (switches[name] !== undefined) {
      if (value !== "false") this.kept.push(...switches[name]);
    } else if (name === "oidc-client-secret") this.clientSecret = value;
    else if (name === "oidc-extra-scope") this.scopes.push(...value.split(","));
    else if (name === "oidc-redirect-url") this.redirectUri = value;
    else if (name === "listen-address") this.addresses.push(...value.split(","));
    else if (name === "grant-type") this.#grant(value);
    else if (name === "oidc-auth-request-extra-params") this.#parameters(value);
    else if (name === "oidc-pkce-method" && value === "no") this.kept.push("--no-pkce");
    else if (refused[name] !== undefined) this.refusal ??= refused[name];
    else if (!ignored.has(name)) this.kept.push(value === "" ? `--${name}` : `--${name}=${value}`);
  }

  #grant(value: string): void {
    const words = grants[value];
    if (words !== undefined) this.kept.push(...words);
    else {
      const known = Object.keys(grants).join(", ");
      this.refusal ??= `--grant-type does not accept this value. Accepted: ${known}.`;
    }
  }

  #parameters(text: string): void {
    for (const pair of text.split(",")) {
      const sign = pair.indexOf("=");
      const own = parameters[pair.slice(0, sign)];
      if (own !== undefined) this.kept.push(`--${own}=${pair.slice(sign + 1)}`);
      else {
        const known = Object.keys(parameters).join(", ");
        this.refusal ??= `--oidc-auth-request-extra-params holds a parameter that is not taken. Taken: ${known}.`;
      }
    }
  }

  /** The address that kubelogin listens at, and the one that its clients are registered with. */
  #listener(): string[] {
    const [address = defaultAddress] = this.addresses;
    const port = /:(\d+)$/.exec(address)?.[1] ?? "8000";
    const host = address.slice(0, -port.length - 1).replace(/^\[|\]$/g, "") || "127.0.0.1";
    const redirectUri = this.redirectUri ?? `http://localhost:${port}`;
    return [`--redirect-uri=${redirectUri}`, `--callback-host=${host}`, `--callback-port=${port}`];
  }

  result(before: readonly string[]): Translated {
    const isClient = this.kept.includes("--grant-type=client_credentials");
    const scopes = [...new Set(this.scopes)].join(" ");
    return {
      argumentList: [
        ...before,
        ...this.kept,
        `--scopes=${scopes}`,
        ...(isClient ? [] : this.#listener()),
      ],
      clientSecret: this.clientSecret,
      refusal: this.refusal,
    };
  }
}

const withoutValue = new Set([...Object.keys(switches), "insecure-skip-tls-verify"]);

/** Undefined where nothing of kubelogin's was typed. */
export function fromKubelogin(argumentList: readonly string[]): Translated | undefined {
  const isOurs = !argumentList.some((word) => word.startsWith("--oidc-"));
  if (isOurs) return undefined;
  const translation = new Translation();
  const before: string[] = [];
  for (let place = 0; place < argumentList.length; place += 1) {
    const word = argumentList[place] ?? "";
    if (!/^-{1,2}[a-z]/.test(word)) {
      before.push(word);
      continue;
    }
    const [, name = "", sign, inline = ""] = /^-{1,2}([^=]+)(=?)([^]*)$/.exec(word) ?? [];
    const next = argumentList[place + 1];
    const takesNext = sign === "" && !withoutValue.has(name) && next?.startsWith("-") === false;
    if (takesNext) place += 1;
    translation.take({ name, value: takesNext ? next : inline });
  }
  return translation.result(before);
}
