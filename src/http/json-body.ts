// A hostile body made into a JSON object or into words about what is wrong with it.

import type { HttpAnswer } from "./exchange.ts";

/** A JSON object, or why there is none in words that are safe to show (they never quote the body). */
export type JsonObjectResult =
  | { readonly ok: true; readonly value: Record<string, unknown> }
  | { readonly ok: false; readonly why: string };

// JSON.parse itself is safe at any depth; what walks the value afterwards (copies, inspection, verification) is not.
const deepestNesting = 64;

function contentType(answer: HttpAnswer): string {
  const [type = ""] = (answer.headers["content-type"] ?? "").split(";", 1);
  return type.trim().toLowerCase();
}

/** True where the answer says that it is JSON: `application/json` or a type with the suffix `+json`. */
export function isJson(answer: HttpAnswer): boolean {
  const type = contentType(answer);
  return type === "application/json" || /^application\/[a-z0-9!#$&^_.+-]+\+json$/.test(type);
}

function isNestedTooDeeply(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') {
      inString = true;
    } else if (character === "{" || character === "[") {
      depth += 1;
      if (depth > deepestNesting) return true;
    } else if (character === "}" || character === "]") {
      depth -= 1;
    }
  }
  return false;
}

/** Thrown and caught in this file alone. */
class LoneSurrogate extends Error {}

function checked(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new LoneSurrogate();
  return text;
}

/** A copy whose objects have no prototype and no `__proto__` member, so that no later merge can reach a prototype. */
function withoutPrototypes(value: unknown): unknown {
  if (typeof value === "string") return checked(value);
  if (Array.isArray(value)) return value.map(withoutPrototypes);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of Object.entries(value)) {
    if (name !== "__proto__") copy[checked(name)] = withoutPrototypes(member);
  }
  return copy;
}

function failure(why: string): JsonObjectResult {
  return { ok: false, why };
}

/**
 * The answer's body as a JSON object: UTF-8, with or without a byte order mark, at most 64 levels deep, without lone
 * surrogates. Objects in it have no prototype. Whether the answer claims to be JSON is {@link isJson}'s question.
 * @see RFC 8259 sections 8.1 and 8.2
 */
export function readJsonObject(answer: HttpAnswer): JsonObjectResult {
  let text: string;
  try {
    // RFC 8259 section 8.1: parsers "MAY ignore the presence of a byte order mark rather than treating it as an error".
    text = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
  } catch {
    return failure("a body that is not UTF-8 text");
  }
  const start = text.slice(0, 512).trimStart();
  if (text.trim() === "") return failure("an empty body");
  // By the body alone: servers that call their JSON text/html are many.
  if (start.startsWith("<")) {
    return failure(
      "a web page instead of JSON (a network's sign-in page or a proxy may stand in between; see HTTPS_PROXY)",
    );
  }
  if (isNestedTooDeeply(text)) return failure("JSON that is nested too deeply");
  try {
    const value = withoutPrototypes(JSON.parse(text));
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return failure("JSON that is not an object");
    }
    return { ok: true, value: value as Record<string, unknown> };
  } catch (error) {
    return failure(
      error instanceof LoneSurrogate ? "JSON with half a character" : "text that is not JSON",
    );
  }
}
