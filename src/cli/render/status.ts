// The list of `latchkey status` for people. Changes when its look does.

import { sanitizeProviderText } from "../../core/errors.ts";
import type { SessionRecord } from "../../record/format.ts";
import { pairs } from "./layout.ts";
import { nameOf } from "./texts.ts";
import { clockTime, span } from "./time.ts";

function validity(record: SessionRecord, now: Date): string {
  const renews = record.refreshToken !== undefined;
  const expiresAt = record.accessToken?.expiresAt ?? null;
  if (expiresAt === null) {
    if (record.accessToken === null) return "expired; renews by itself";
    return renews ? "not known; renews by itself" : "not known";
  }
  const left = expiresAt * 1000 - now.getTime();
  const time = clockTime(new Date(expiresAt * 1000), now);
  const when = left > 0 ? `${time} (in ${span(left)})` : `${time} (${span(left)} ago)`;
  if (renews) return `${when}; renews by itself`;
  return left > 0 ? `${when}; then sign in again` : `${when}; sign in again`;
}

function block(record: SessionRecord, now: Date, columns: number): string {
  const name = nameOf(record);
  const { subject } = record;
  const scopes = record.accessToken?.scopes.join(" ");
  const rows = pairs(
    [
      ["as", name],
      [
        "subject",
        subject === undefined || subject === name ? undefined : sanitizeProviderText(subject),
      ],
      ["client", sanitizeProviderText(record.clientId)],
      [
        "scopes",
        scopes === undefined || scopes === "" ? undefined : sanitizeProviderText(scopes, 1000),
      ],
      ["expires", validity(record, now)],
    ],
    columns,
    2,
  );
  return `${sanitizeProviderText(record.issuer, 1000)}\n${rows}`;
}

/** One block for each sign-in, an empty line between two. */
export function statusText(records: readonly SessionRecord[], now: Date, columns: number): string {
  return records.map((record) => block(record, now, columns)).join("\n\n");
}
