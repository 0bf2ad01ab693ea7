// Takes what we sent out of what comes back, in whatever form it is repeated.

// Shorter values are no secrets of ours, and would tear holes into ordinary words.
const shortestSecret = 4;
// So many characters from its beginning tell a secret that the provider itself has cut.
const tellingBeginning = 16;
const redacted = "[redacted]";

const htmlEscapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Hexadecimal digits of percent-encoding are upper case by RFC 3986 section 6.2.2.1, and lower case in the wild. */
function inBothCases(encoded: string): readonly string[] {
  return [encoded, encoded.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())];
}

/** The secret as it is, as it stands in a URL, in a form body and in JSON, and as a page would show it. */
function formsOf(secret: string): readonly string[] {
  // Half a character has no percent-encoding.
  const whole = secret.replaceAll(/\p{Surrogate}/gu, "\ufffd");
  const percent = encodeURIComponent(whole);
  const strict = percent.replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const form = new URLSearchParams({ "": whole }).toString().slice(1);
  const json = JSON.stringify(whole).slice(1, -1);
  return [
    ...new Set([
      secret,
      ...inBothCases(percent),
      ...inBothCases(strict),
      ...inBothCases(form),
      json,
      json.replaceAll("/", String.raw`\/`),
      whole.replaceAll(/[&<>"']/g, (character) => htmlEscapes[character] ?? character),
    ]),
  ];
}

function beginningOf(form: string): string {
  return form.length > tellingBeginning ? form.slice(0, tellingBeginning) : form;
}

/** How much of `text` from `at` on is `form`, which is there with its beginning. */
function lengthOfMatch(text: string, at: number, form: string): number {
  let length = 0;
  while (length < form.length && text[at + length] === form[length]) length += 1;
  return length;
}

/** Where the secret that is at `at` ends. One that is not whole, or goes on in another form, ends with its word. */
function endOfMatch(text: string, at: number, forms: readonly string[]): number {
  let longest = 0;
  let isWhole = false;
  for (const form of forms) {
    if (!text.startsWith(beginningOf(form), at)) continue;
    const length = lengthOfMatch(text, at, form);
    if (length < longest || (length === longest && isWhole)) continue;
    longest = length;
    isWhole = length === form.length;
  }
  if (isWhole) return at + longest;
  const rest = /^[^\s"'<>,;]*/.exec(text.slice(at + longest))?.[0] ?? "";
  return at + longest + rest.length;
}

function withoutSecret(text: string, secret: string): string {
  const forms = formsOf(secret);
  const beginnings = [...new Set(forms.map(beginningOf))];
  const found = (from: number): number => {
    const places = beginnings.map((beginning) => text.indexOf(beginning, from));
    const first = Math.min(...places.filter((place) => place !== -1));
    return Number.isFinite(first) ? first : -1;
  };
  let safe = "";
  let from = 0;
  for (let at = found(0); at !== -1; at = found(from)) {
    safe += text.slice(from, at) + redacted;
    from = endOfMatch(text, at, forms);
  }
  return safe + text.slice(from);
}

/**
 * A provider's text without what we sent to it, for providers that say "code abc is not valid". The whole text is looked
 * at: whoever cuts it does so afterwards, so that no cut hides half a secret from this.
 */
export function withoutSecrets(text: string, secrets: readonly (string | undefined)[]): string {
  let safe = text;
  for (const secret of secrets) {
    if (secret !== undefined && secret.length >= shortestSecret) safe = withoutSecret(safe, secret);
  }
  return safe;
}
