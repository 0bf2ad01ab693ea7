// The members of a provider's answer, as JSON or, where the answer says so, as a form.

import type { HttpAnswer } from "../http/exchange.ts";
import { readJsonObject } from "../http/json-body.ts";
import type { JsonObjectResult } from "../http/json-body.ts";

// A token answer has about ten.
const maxMembers = 100;

function isForm(answer: HttpAnswer): boolean {
  const [type = ""] = (answer.headers["content-type"] ?? "").split(";", 1);
  return type.trim().toLowerCase() === "application/x-www-form-urlencoded";
}

function readForm(answer: HttpAnswer): JsonObjectResult {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(answer.body);
  } catch {
    return { ok: false, why: "a body that is not UTF-8 text" };
  }
  if (text.trim() === "") return { ok: false, why: "an empty body" };
  const members = [...new URLSearchParams(text)];
  if (members.length > maxMembers) return { ok: false, why: "a form with too many members" };
  const value = Object.create(null) as Record<string, unknown>;
  for (const [name, member] of members) {
    // Which of the two would count is a matter of taste, and so of attack.
    if (name in value) return { ok: false, why: "a form that names a member twice" };
    value[name] = member;
  }
  return { ok: true, value };
}

/**
 * An answer's body as an object. OAuth 2.0 answers are JSON (RFC 6749 section 5.1), and older servers send forms, with
 * every value a text. A form counts only where the answer calls itself one, so that no text is taken for one.
 */
export function readAnswerObject(answer: HttpAnswer): JsonObjectResult {
  return isForm(answer) ? readForm(answer) : readJsonObject(answer);
}

/** A member of an answer where it is text that says something. */
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value.trim() !== "" ? value : undefined;
}
