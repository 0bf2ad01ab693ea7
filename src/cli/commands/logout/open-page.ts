// Opens the page that ends a provider's session in the browser. Changes when what is sent there does.

import { hostAndPort } from "../../../core/hosts.ts";
import { maxUrlCharacters } from "../../../core/limits.ts";
import type { World } from "../../../core/world.ts";
import { createStartAddress, openAtStart } from "../../../interaction/open-browser.ts";
import { withIdTokenHint } from "../../../session/logout-url.ts";

/** Longest wait for the browser, which needs us until it has been led on. */
const arrivalMilliseconds = 10_000;

/** The page, where it is, and who is to be logged out. */
export interface LogoutPage {
  readonly logoutUrl: string;
  readonly idToken: string | undefined;
  /** Option `browserCommand`. */
  readonly command: string | undefined;
}

/** Opens it with the ID token as a hint, which no other program learns; true when the browser has come. Never rejects. */
export async function openLogoutPage(
  world: World,
  { logoutUrl, idToken, command }: LogoutPage,
  signal: AbortSignal,
): Promise<boolean> {
  const hinted = idToken === undefined ? logoutUrl : withIdTokenHint(logoutUrl, idToken);
  const target = hinted.length > maxUrlCharacters ? logoutUrl : hinted;
  const start = createStartAddress(world, hostAndPort(logoutUrl));
  const opened = await openAtStart(world, { start, target, command, authority: undefined });
  if (!opened.result.opened) return false;
  const over = new AbortController();
  const time = world.clock
    .sleep(arrivalMilliseconds, { signal: AbortSignal.any([signal, over.signal]) })
    .catch(() => undefined);
  await Promise.race([start.opened, time]);
  over.abort();
  await opened.close();
  return start.isOpened;
}
