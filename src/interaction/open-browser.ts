// Opening a page for a person without telling its address to the rest of the machine. Changes when a browser is led to
// a page in another way.

import { isOidcError, OidcError } from "../core/errors.ts";
import type { BrowserResult, World } from "../core/world.ts";
import { option, say } from "../core/wording.ts";
import { browserSafeUrl } from "./browser.ts";
import { authorityOf, LoopbackServer, sendPage } from "./loopback-server.ts";
import { nothingHerePage } from "./pages/states.ts";
import { StartAddress } from "./start-address.ts";

/** The world as far as a browser is concerned. */
export type BrowserWorld = Pick<
  World,
  "clock" | "logger" | "randomBytes" | "openBrowser" | "prompt"
>;

/** What is to be opened. */
export interface Opening {
  readonly start: StartAddress;
  /** The page, and nobody else's business. */
  readonly target: string;
  /** Option `browserCommand`. */
  readonly command: string | undefined;
  /** Where the start address is answered already; undefined: on a port of its own. */
  readonly authority: string | undefined;
}

/** A browser that was started, or was not. */
export interface OpenedBrowser {
  readonly result: BrowserResult;
  /** Takes the start address away. */
  close(): Promise<void>;
}

/** A start address for a page at `host`, which messages name. */
export function createStartAddress(world: BrowserWorld, host: string): StartAddress {
  const { clock, logger, randomBytes } = world;
  return new StartAddress({
    clock,
    logger,
    randomBytes,
    openedTwice: () =>
      new OidcError(
        "callback_invalid",
        `The sign-in at ${host} was ended: the address that opens it in the browser works once, and it was opened twice. ` +
          "Another program on this machine may have opened it to sign in as somebody else. Nothing was kept.",
        {
          reason: "opened_twice",
          remedy: say`Sign in again; if this comes back, look for that program, or set ${option("openBrowser", "false")} and open the shown address yourself.`,
        },
      ),
    onOtherUser: (uid) => {
      const whose = uid === undefined ? "Another user" : `Another user (uid ${String(uid)})`;
      world.prompt({
        type: "warning",
        code: "opened_by_other_user",
        message: `${whose} of this machine tried to open the page that was meant for your browser, and was refused.`,
      });
    },
  });
}

/** A listener for nothing but the start address, on whichever loopback address this machine has. */
async function openOwnServer(
  world: BrowserWorld,
  start: StartAddress,
): Promise<{ server: LoopbackServer; authority: string } | undefined> {
  for (const host of ["127.0.0.1", "::1"]) {
    const server = new LoopbackServer({
      logger: world.logger,
      onRequest: (request, response) => {
        if (!start.answer(request, response)) sendPage(response, nothingHerePage(404));
      },
    });
    try {
      return { server, authority: authorityOf(host, await server.open(host, [0])) };
    } catch (error) {
      if (!isOidcError(error)) throw error;
    }
  }
  return undefined;
}

/**
 * Starts the person's browser at the start address, which leads on to the page. Never rejects. Whoever calls it watches
 * `start.signal`, and calls `close`.
 */
export async function openAtStart(world: BrowserWorld, opening: Opening): Promise<OpenedBrowser> {
  const { start, command } = opening;
  const failed = (problem: string): OpenedBrowser => ({
    result: { opened: false, problem },
    close: () => Promise.resolve(),
  });
  const target = browserSafeUrl(opening.target);
  if (target === undefined) return failed("the address is neither https nor http on this machine");
  const own = opening.authority === undefined ? await openOwnServer(world, start) : undefined;
  const authority = opening.authority ?? own?.authority;
  if (authority === undefined) return failed("no port of this machine can be opened");
  const address = start.lead(authority, target);
  const hasCome = (): BrowserResult => ({ opened: true });
  const result = await Promise.race([
    world.openBrowser(address, command, () => start.isOpened),
    start.opened.then(hasCome),
  ]);
  return {
    // Some openers say that they failed, and a page is open all the same.
    result: start.isOpened ? hasCome() : result,
    close: async () => own?.server.close(),
  };
}
