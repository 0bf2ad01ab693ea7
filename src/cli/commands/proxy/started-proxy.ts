// What a proxy of any protocol is for the command that runs it.

import type { Server } from "node:net";
import type { Clock } from "../../../core/clock.ts";
import type { OidcError } from "../../../core/errors.ts";
import type { Dialer } from "../../../http/exchange.ts";
import type { ListenPlace } from "../../../proxy/listen-place.ts";
import type { ProxyTokens } from "../../../proxy/proxy-tokens.ts";

/** What every proxy is made of. */
export interface ProxyContext {
  readonly tokens: ProxyTokens;
  readonly dialer: Dialer;
  /** What clients of a port show; undefined for a socket. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly words: (error: OidcError) => string;
  readonly onFailure: (error: OidcError) => void;
}

/** One that is ready to listen. */
export interface StartedProxy {
  readonly server: Server;
  readonly clock: Clock;
  /** How clients reach it: one line for programs, and one for people. `port`: the one that was taken. */
  readonly describe: (
    place: ListenPlace,
    port: number,
    secretFile: string | undefined,
  ) => { readonly address: string; readonly hint: string };
}

/** A protocol, for one server. */
export interface ProxyKind {
  /** The server as an address that a token may go to. */
  readonly upstream: URL;
  /** Whether its refusals may have named the provider (RFC 9728), so that a sign-in may be found by its address. */
  readonly saysWhereToSignIn: boolean;
  /** For the file of its secret. */
  readonly name: string;
  /** Its socket where nobody names one, below the folder of all of them. */
  readonly ownSocket: string;
  /** The socket at a path that somebody named. */
  readonly socketAt: (path: string) => string;
  readonly start: (parts: ProxyContext, place: ListenPlace) => StartedProxy;
}
