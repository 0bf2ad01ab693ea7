// What is said when the time for the browser is up: what came instead of the answer, and what to change. Changes when
// the listener learns to tell another kind of miss.

import { OidcError } from "../core/errors.ts";
import { hostAndPort } from "../core/hosts.ts";
import { listenerHeaderBytes } from "../core/limits.ts";
import { counted } from "../core/words.ts";
import { option, say, sentences, type Wording } from "../core/wording.ts";
import type { CallbackListener } from "../interaction/listener.ts";
import type { ProviderMetadata } from "../provider/metadata.ts";
import type { Settings } from "./sign-in-config.ts";

/** The sign-in whose time is up. */
export interface UnfinishedSignIn {
  readonly listener: Pick<CallbackListener, "strayCallbacks" | "missed">;
  readonly metadata: Pick<ProviderMetadata, "issuer" | "deviceAuthorizationEndpoint">;
  readonly redirectUri: string;
}

function times(count: number): string {
  return count === 1 ? "once" : `${String(count)} times`;
}

/** What came instead of the answer, and what to do about it. */
interface Missed {
  readonly what: string | Wording;
  readonly remedy: string | Wording;
}

/** An answer that came and could not be taken, with its remedy; undefined where there was none. */
function missedAnswer({ listener, metadata, redirectUri }: UnfinishedSignIn): Missed | undefined {
  const { posted, inAddress, oversized, unreadable } = listener.missed;
  const provider = hostAndPort(metadata.issuer);
  if (posted > 0) {
    return {
      what: `${provider} posted its answer as a form (${times(posted)}), while this sign-in awaited it in the address.`,
      remedy: say`Set ${option("responseMode", "form_post")} and start again.`,
    };
  }
  if (inAddress > 0) {
    return {
      what: say`${provider} put its answer into the address (${times(inAddress)}), though ${option("responseMode", "form_post")} asked for a form; it was not used.`,
      remedy: say`Have form_post allowed for this client at the provider, or set ${option("responseMode", "query")}, and start again.`,
    };
  }
  if (oversized > 0) {
    return {
      what: `The browser came back (${times(oversized)}) with more than the ${String(listenerHeaderBytes / 1024)} KB that are read, so its answer was not seen.`,
      remedy: `As a rule those are cookies that other programs have set for ${new URL(redirectUri).hostname}: delete them in the browser and start again.`,
    };
  }
  if (unreadable > 0) {
    return {
      what: `Something came to ${redirectUri} (${times(unreadable)}) that is no HTTP request, as from a browser that was sent to https: there.`,
      remedy: "Register the redirect URI with http:, and start again.",
    };
  }
  return undefined;
}

/** The end of a sign-in that nobody finished in time. */
export function timeIsUp(
  signIn: UnfinishedSignIn,
  settings: Pick<Settings, "callbackTimeoutSeconds">,
): OidcError {
  const { listener, metadata, redirectUri } = signIn;
  const provider = hostAndPort(metadata.issuer);
  const limit = counted(settings.callbackTimeoutSeconds, "second");
  const missed = missedAnswer(signIn);
  if (listener.strayCallbacks > 0) {
    return new OidcError(
      "state_mismatch",
      sentences(
        `The browser came back (${times(listener.strayCallbacks)}) within ${limit}, but never with the answer to this sign-in at ${provider}.`,
        missed?.what ?? "",
      ),
      {
        remedy:
          missed?.remedy ??
          "Close older sign-in tabs and start again; another program may be using the same redirect URI.",
      },
    );
  }
  if (missed !== undefined) {
    return new OidcError(
      "callback_timeout",
      sentences(`No answer was taken within ${limit}.`, missed.what),
      { remedy: missed.remedy },
    );
  }
  return new OidcError(
    "callback_timeout",
    `Nobody finished the sign-in at ${provider} in the browser within ${limit}.`,
    {
      remedy: sentences(
        // A provider that knows neither the client nor the address may tell nobody but the person (RFC 6749 section 4.1.2.1).
        say`Start again; if the browser showed an error instead of a page to sign in on, check ${option("clientId")} and register ${redirectUri} as a redirect URI of this client.`,
        metadata.deviceAuthorizationEndpoint === undefined
          ? ""
          : say`Where no browser reaches this machine, set ${option("flow", "device")}.`,
        say`For more time set ${option("callbackTimeoutSeconds")}.`,
      ),
    },
  );
}
