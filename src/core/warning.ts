// Something that a person should know, though the call goes on.

import type { WarningEvent } from "./prompt.ts";
import { worded, type Wording } from "./wording.ts";

/** Tells of something. `code` is a stable string. */
export type Warn = (code: string, said: string | Wording) => void;

/** The event by which whoever shows prompts learns of it. */
export function warningEvent(code: string, said: string | Wording): WarningEvent {
  const message = worded(said);
  return { type: "warning", code, message, wording: typeof said === "string" ? [said] : said };
}
