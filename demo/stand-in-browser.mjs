// Changes when the sign-in pages that the stand-in browser fills in change.
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

const loopbackHosts = new Set(["127.0.0.1", "[::1]", "localhost"]);
const maxJourney = 30;
const maxAnswerMilliseconds = 30_000;

/** @typedef {import("./stand-in-browser.d.mts").VisitOptions} VisitOptions */
/** @typedef {{ url: string, status: number, location: string | undefined, text: string }} Answer */
/** @typedef {{ method: "GET" | "POST", url: string, body?: string }} Step */
/** @typedef {{ action: string, method: string, fields: Map<string, string>, buttons: Map<string, string> }} Form */

/**
 * Refuses everything but http and https on this machine.
 * @param {string} url
 * @param {string | undefined} otherHost
 */
function assertLoopback(url, otherHost) {
  const { protocol, hostname, username } = new URL(url);
  const isHere = loopbackHosts.has(hostname) || hostname === otherHost;
  if (!["http:", "https:"].includes(protocol) || !isHere || username !== "") {
    throw new Error(
      `the stand-in browser was sent away from this machine: ${protocol}//${hostname}`,
    );
  }
}

/** Cookies by host name, as a browser keeps them: a port makes no difference, a path does. */
class CookieJar {
  /** @type {{ host: string, path: string, name: string, value: string, secure: boolean }[]} */
  #cookies = [];

  /** @param {URL} url @param {readonly string[]} lines */
  store(url, lines) {
    for (const line of lines) {
      const [pair = "", ...attributes] = line.split(";").map((part) => part.trim());
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      /** @param {string} wanted */
      const attribute = (wanted) =>
        attributes
          .find((part) => part.split("=", 1)[0]?.toLowerCase() === wanted)
          ?.slice(wanted.length + 1);
      const path = attribute("path") || "/";
      this.#cookies = this.#cookies.filter(
        (cookie) => cookie.host !== url.hostname || cookie.path !== path || cookie.name !== name,
      );
      const expires = Date.parse(attribute("expires") ?? "");
      const isOver = attribute("max-age") === "0" || expires <= Date.now();
      const secure = attribute("secure") !== undefined;
      if (!isOver) this.#cookies.push({ host: url.hostname, path, name, value, secure });
    }
  }

  /** @param {URL} url */
  header(url) {
    return this.#cookies
      .filter((cookie) => cookie.host === url.hostname && url.pathname.startsWith(cookie.path))
      .filter((cookie) => !cookie.secure || url.protocol === "https:")
      .map((cookie) => `${cookie.name}=${cookie.value}`)
      .join("; ");
  }
}

/** One request, no redirect followed. @param {Step} step @param {CookieJar} jar @param {VisitOptions} options @returns {Promise<Answer>} */
function send(step, jar, options) {
  assertLoopback(step.url, options.otherHost);
  const url = new URL(step.url);
  const cookie = jar.header(url);
  const headers = {
    accept: "text/html,application/xhtml+xml,*/*;q=0.8",
    connection: "close",
    ...(cookie === "" ? {} : { cookie }),
    ...(step.body === undefined
      ? {}
      : {
          "content-type": "application/x-www-form-urlencoded",
          "content-length": String(Buffer.byteLength(step.body)),
        }),
  };
  return new Promise((resolve, reject) => {
    const request = url.protocol === "https:" ? tlsRequest : plainRequest;
    const outgoing = request(
      url,
      {
        method: step.method,
        headers,
        agent: false,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
        ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
      },
      (incoming) => {
        /** @type {Buffer[]} */
        const chunks = [];
        incoming.on("data", (chunk) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          jar.store(url, incoming.headers["set-cookie"] ?? []);
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
      outgoing.destroy(new Error(`no answer within 30 seconds from ${url.origin}${url.pathname}`)),
    );
    outgoing.on("error", reject);
    outgoing.end(step.body);
  });
}

const namedEntities = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** @param {string} text */
function decodeEntities(text) {
  return text.replaceAll(
    /&(?:#x([\da-f]+)|#(\d+)|([a-z]+));/gi,
    (whole, hexadecimal, decimal, name) => {
      if (hexadecimal !== undefined) return String.fromCodePoint(Number.parseInt(hexadecimal, 16));
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      return namedEntities.get(name) ?? whole;
    },
  );
}

/** @param {string} tag @param {string} name @returns {string | undefined} */
function attributeOf(tag, name) {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, "i").exec(tag);
  const value = found?.[1] ?? found?.[2];
  return value === undefined ? undefined : decodeEntities(value);
}

/** The page's only form, with the named buttons that belong to it wherever they stand. @param {Answer} page @returns {Form | undefined} */
function readForm(page) {
  const found = [...page.text.matchAll(/(<form\b[^>]*>)([\s\S]*?)<\/form>/gi)];
  if (found.length > 1) throw new Error(`${found.length} forms on one page: ${describe(page)}`);
  const [, head, inside] = found[0] ?? [];
  if (head === undefined || inside === undefined) return undefined;
  const fields = new Map();
  for (const [tag] of inside.matchAll(/<input\b[^>]*>/gi)) {
    const name = attributeOf(tag, "name");
    if (name !== undefined) fields.set(name, attributeOf(tag, "value") ?? "");
  }
  const buttons = new Map();
  for (const [tag] of page.text.matchAll(/<button\b[^>]*>/gi)) {
    const name = attributeOf(tag, "name");
    if (name !== undefined) buttons.set(name, attributeOf(tag, "value") ?? "");
  }
  const action = new URL(attributeOf(head, "action") ?? "", page.url).href;
  return { action, method: (attributeOf(head, "method") ?? "get").toLowerCase(), fields, buttons };
}

/** What a page says, for an error message. @param {Answer} page */
function describe(page) {
  const { origin, pathname } = new URL(page.url);
  const words = page.text
    .replaceAll(/<(style|script|details)\b[\s\S]*?<\/\1>/gi, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim();
  return `${page.status} from ${origin}${pathname}: ${decodeEntities(words).slice(0, 300)}`;
}

/** @param {Answer} page @returns {string | undefined} */
function cancelLink(page) {
  for (const [, tag, label] of page.text.matchAll(/(<a\b[^>]*>)([^<]*)<\/a>/gi)) {
    const href = tag === undefined ? undefined : attributeOf(tag, "href");
    if (href !== undefined && label?.includes("Cancel")) return new URL(href, page.url).href;
  }
  return undefined;
}

/** Whether a form carries an answer to somebody else than the provider. @param {Form} form @param {Answer} page */
function isAnswerOf(form, page) {
  return form.fields.has("state") && new URL(form.action).origin !== new URL(page.url).origin;
}

/**
 * What the person does on one of the provider's pages; undefined where there is nothing left to do.
 * @param {Answer} page
 * @param {VisitOptions} options
 * @returns {Step | undefined}
 */
function actOn(page, options) {
  const form = readForm(page);
  if (form === undefined) return undefined;
  const { fields, buttons } = form;
  // OAuth 2.0 Form Post Response Mode: a page whose script submits the answer to the client.
  if (isAnswerOf(form, page)) {
    return { method: "POST", url: form.action, body: new URLSearchParams([...fields]).toString() };
  }
  if (form.method !== "post") throw new Error(`unknown form: ${describe(page)}`);
  /** @param {Record<string, string>} filled @returns {Step} */
  const submit = (filled) => ({
    method: "POST",
    url: form.action,
    body: new URLSearchParams({ ...Object.fromEntries(fields), ...filled }).toString(),
  });

  const prompt = fields.get("prompt");
  if (prompt === "login" || prompt === "consent") {
    if (options.deny === true) {
      const url = cancelLink(page);
      if (url === undefined) throw new Error(`no way to cancel: ${describe(page)}`);
      return { method: "GET", url };
    }
    return submit(prompt === "login" ? { login: options.login ?? "alice", password: "any" } : {});
  }
  if (fields.has("xsrf") && fields.has("user_code")) {
    if (fields.has("confirm")) {
      const abort = buttons.get("abort");
      if (options.deny !== true) return submit({});
      if (abort === undefined) throw new Error(`no way to cancel: ${describe(page)}`);
      return submit({ abort });
    }
    // After an abort, and after a code that is wrong, the same page comes again with a word about it.
    if (options.deny === true && page.text.includes("interrupted")) return undefined;
    if (/incorrect|interrupted|error processing/.test(page.text)) {
      throw new Error(`the user code was refused: ${describe(page)}`);
    }
    const typed = fields.get("user_code") || options.userCode;
    if (typed === undefined) throw new Error(`the page asks for a user code: ${describe(page)}`);
    return submit({ user_code: typed });
  }
  throw new Error(`unknown form: ${describe(page)}`);
}

/**
 * Where the client's own start address leads.
 * @param {string} url
 * @param {CookieJar} jar
 * @param {VisitOptions} options
 */
async function leadOn(url, jar, options) {
  const answer = await send({ method: "GET", url }, jar, options);
  if (answer.status !== 303 || answer.location === undefined) {
    throw new Error(`the start address leads nowhere: ${describe(answer)}`);
  }
  return answer.location;
}

/**
 * Goes where a person's browser would go from one address, and answers the provider's pages on the way. The provider is
 * the origin of that address, or of where a start address leads; the first redirect or form to another loopback origin is
 * the client's own listener, and the
 * journey ends with the page that it shows.
 * @param {string} url
 * @param {VisitOptions} [options]
 * @returns {Promise<import("./stand-in-browser.d.mts").Visit>}
 */
export async function visit(url, options = {}) {
  const jar = new CookieJar();
  const page = options.fromStart === true ? await leadOn(url, jar, options) : url;
  const providerOrigin = new URL(page).origin;
  /** @type {string[]} */
  const visited = options.fromStart === true ? [url] : [];
  /** @type {string | undefined} */
  let redirectUrl;
  /** @type {Step} */
  let step = { method: "GET", url: page };

  while (visited.length < maxJourney) {
    visited.push(step.url);
    const answer = await send(step, jar, options);
    const isWithClient = new URL(answer.url).origin !== providerOrigin;
    if (answer.location !== undefined && answer.status >= 300 && answer.status < 400) {
      const next = new URL(answer.location, answer.url).href;
      if (new URL(next).origin !== providerOrigin) redirectUrl ??= next;
      step = { method: "GET", url: next };
      continue;
    }
    const end = {
      visited,
      finalUrl: answer.url,
      finalPage: answer.text,
      finalStatus: answer.status,
    };
    if (isWithClient) return { ...end, ...(redirectUrl === undefined ? {} : { redirectUrl }) };
    const next = actOn(answer, options);
    if (next !== undefined && new URL(next.url).origin !== providerOrigin) redirectUrl ??= next.url;
    if (next === undefined) {
      if (answer.status >= 400) throw new Error(`the provider refused: ${describe(answer)}`);
      return end;
    }
    step = next;
  }
  throw new Error(`no end after ${maxJourney} steps: ${new URL(step.url).pathname}`);
}

/**
 * A sign-in with a redirect to the client's loopback listener.
 * @param {string} url
 * @param {import("./stand-in-browser.d.mts").SignInOptions} [options]
 * @returns {Promise<import("./stand-in-browser.d.mts").SignIn>}
 */
export async function signIn(url, options = {}) {
  const { redirectUrl, ...end } = await visit(url, options);
  if (redirectUrl === undefined) {
    throw new Error(`the sign-in ended at the provider: ${new URL(end.finalUrl).pathname}`);
  }
  return { ...end, redirectUrl };
}

/**
 * The person's part of the device flow.
 * @param {string} url
 * @param {VisitOptions} [options]
 * @returns {Promise<import("./stand-in-browser.d.mts").Visit>}
 */
export async function approveDevice(url, options = {}) {
  const end = await visit(url, options);
  if (end.redirectUrl !== undefined) throw new Error("the device page redirected to a client");
  return end;
}
