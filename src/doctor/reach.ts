// Asks for the provider's document, for what can be seen on the way: whatever comes, it is not read.

import { isOidcError } from "../core/errors.ts";
import type { RequestOpener } from "../http/exchange.ts";
import { wellKnownForms } from "../provider/discovery.ts";
import type { Reached } from "./check.ts";

/** The head of an answer, or why there was none; undefined where no issuer is named. */
export async function reachProvider(
  issuer: string,
  open: () => Promise<RequestOpener>,
  signal: AbortSignal,
): Promise<Reached | undefined> {
  const [form] = issuer === "" ? [] : wellKnownForms(issuer);
  if (form === undefined) return undefined;
  try {
    const opener = await open();
    const head = await opener.open({
      method: "GET",
      url: new URL(form.url),
      headers: { accept: "application/json" },
      body: undefined,
      step: "discovery",
      signal,
    });
    head.discard();
    return { head };
  } catch (error) {
    if (!isOidcError(error)) throw error;
    return { error };
  }
}
