// Changes when playing a person in front of a provider needs more of a browser: cookies, redirects, forms. No Latchkey code.
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

/** An answer, body and all. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly location: string | undefined;
  readonly text: string;
}

/** A request to make; no method means POST where there is a body. */
export interface Step {
  readonly url: string;
  readonly method?: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the person does on a page; undefined: there is nothing left to do. */
export type Act = (page: Page, person: PersonOverHttp) => Promise<Step | undefined>;

export interface Form {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Names of the buttons that stand in the form. */
  readonly buttons: readonly string[];
}

interface Cookie {
  readonly name: string;
  readonly value: string;
  readonly path: string;
}

const maxJourney = 30;
const maxAnswerMilliseconds = 20_000;
const loopbackHosts = new Set(["127.0.0.1", "localhost", "[::1]"]);

const namedEntities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
};

function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#x([\da-f]+)|#(\d+)|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return namedEntities[name] ?? whole;
  });
}

function attributeOf(tag: string, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, "i").exec(tag);
  const value = found?.[1] ?? found?.[2] ?? found?.[3];
  return value === undefined ? undefined : decodeEntities(value);
}

/** The forms of a page that is made by the server, without those that a script would fill. */
export function formsOf(page: Page): readonly Form[] {
  return [...page.text.matchAll(/(<form\b[^>]*>)([\s\S]*?)<\/form>/gi)].map(
    ([, head = "", inside = ""]) => {
      const fields: Record<string, string> = {};
      const buttons: string[] = [];
      for (const [tag] of inside.matchAll(/<(?:input|button)\b[^>]*>/gi)) {
        const name = attributeOf(tag, "name");
        if (name === undefined) continue;
        const kind = attributeOf(tag, "type")?.toLowerCase();
        if (kind === "submit" || tag.toLowerCase().startsWith("<button")) buttons.push(name);
        else if (kind !== "checkbox") fields[name] ??= attributeOf(tag, "value") ?? "";
      }
      return {
        action: new URL(attributeOf(head, "action") ?? "", page.url).href,
        fields,
        buttons,
      };
    },
  );
}

/** Where the first link with a word on it leads. */
export function linkOn(page: Page, word: string): string | undefined {
  for (const [, tag = "", label = ""] of page.text.matchAll(/(<a\b[^>]*>)([^<]*)<\/a>/gi)) {
    const target = attributeOf(tag, "href");
    if (target !== undefined && label.includes(word)) return new URL(target, page.url).href;
  }
  return undefined;
}

/** A page in a few words, for an error message: never its query, which holds codes. */
export function describePage(page: Page): string {
  const { origin, pathname } = new URL(page.url);
  const words = page.text
    .replaceAll(/<(style|script)\b[\s\S]*?<\/\1>/gi, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
  return `${page.status} from ${origin}${pathname}: ${words.trim().slice(0, 300)}`;
}

/** Somebody with a browser that keeps cookies for one provider, and leaves this machine for nothing. */
export class PersonOverHttp {
  readonly #certificateAuthority: string | undefined;
  #cookies: Cookie[] = [];

  constructor(certificateAuthority?: string) {
    this.#certificateAuthority = certificateAuthority;
  }

  /** One request, no redirect followed. */
  async send(step: Step): Promise<Page> {
    const url = new URL(step.url);
    if (!loopbackHosts.has(url.hostname)) {
      throw new Error(`sent away from this machine: ${url.host}`);
    }
    const body =
      step.json === undefined
        ? step.form && new URLSearchParams(step.form).toString()
        : JSON.stringify(step.json);
    const cookie = this.#cookies
      .filter(({ path }) => url.pathname.startsWith(path))
      .map(({ name, value }) => `${name}=${value}`)
      .join("; ");
    const headers = {
      accept: step.json === undefined ? "text/html,*/*;q=0.8" : "application/json",
      ...(cookie === "" ? {} : { cookie }),
      ...(body === undefined
        ? {}
        : {
            "content-type":
              step.json === undefined ? "application/x-www-form-urlencoded" : "application/json",
            "content-length": String(Buffer.byteLength(body)),
          }),
      ...step.headers,
    };
    return new Promise((resolve, reject) => {
      const request = url.protocol === "https:" ? tlsRequest : plainRequest;
      const outgoing = request(
        url,
        {
          method: step.method ?? (body === undefined ? "GET" : "POST"),
          headers,
          agent: false,
          ...(this.#certificateAuthority === undefined ? {} : { ca: this.#certificateAuthority }),
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("error", reject);
          incoming.on("end", () => {
            this.#store(incoming.headers["set-cookie"] ?? []);
            resolve({
              url: step.url,
              status: incoming.statusCode ?? 0,
              location: incoming.headers.location,
              text: Buffer.concat(chunks).toString(),
            });
          });
        },
      );
      outgoing.setTimeout(maxAnswerMilliseconds, () =>
        outgoing.destroy(new Error(`no answer from ${url.origin}${url.pathname}`)),
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  /** {@link send} that must succeed; the answer's JSON. */
  async sendForJson(step: Step): Promise<Record<string, unknown>> {
    const page = await this.send(step);
    if (page.status >= 300) throw new Error(describePage(page));
    return page.text === "" ? {} : (JSON.parse(page.text) as Record<string, unknown>);
  }

  /**
   * Follows an address and whatever comes of it, until nothing is left to do or the client's listener has answered.
   * `rewrite` may change the redirect to the client, as somebody in between would.
   * @returns the last page, and whether it is the client's.
   */
  async browse(
    url: string,
    act: Act,
    rewrite: (redirect: URL) => void = () => undefined,
  ): Promise<{ page: Page; isBackAtClient: boolean }> {
    const providerOrigin = new URL(url).origin;
    let step: Step = { url };
    let isBackAtClient = false;
    for (let steps = 0; steps < maxJourney; steps += 1) {
      const page = await this.send(step);
      let next: Step | undefined;
      if (page.location !== undefined && page.status >= 300 && page.status < 400) {
        next = { url: new URL(page.location, page.url).href };
      } else if (!isBackAtClient) {
        next = await act(page, this);
      }
      if (next === undefined) return { page, isBackAtClient };
      if (!isBackAtClient && new URL(next.url).origin !== providerOrigin) {
        isBackAtClient = true;
        const redirect = new URL(next.url);
        rewrite(redirect);
        next = { ...next, url: redirect.href };
      }
      step = next;
    }
    throw new Error(`no end after ${maxJourney} steps: ${new URL(step.url).pathname}`);
  }

  #store(lines: readonly string[]): void {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const named = new Map(
        attributes.map((attribute) => {
          const [name = "", value = ""] = attribute.split("=", 2);
          return [name.toLowerCase(), value];
        }),
      );
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      const path = named.get("path") || "/";
      const isOver =
        named.get("max-age") === "0" || Date.parse(named.get("expires") ?? "") <= Date.now();
      this.#cookies = this.#cookies.filter((one) => one.name !== name || one.path !== path);
      if (!isOver && value !== "") this.#cookies.push({ name, value, path });
    }
  }
}
