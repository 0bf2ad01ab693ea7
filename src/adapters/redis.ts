// The entry point `latchkey/redis`: a credential as what the client `redis` calls a StreamingCredentialsProvider.

import type { AccessToken, Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What `AUTH` is sent with. */
export interface RedisCredentials {
  readonly username?: string;
  readonly password: string;
}

/** What the client wants to be told. */
export interface RedisCredentialsListener {
  onNext(credentials: RedisCredentials): void;
  onError(error: Error): void;
}

/** As `StreamingCredentialsProvider` of `redis`. */
export interface RedisCredentialsProvider {
  readonly type: "streaming-credentials-provider";
  subscribe(listener: RedisCredentialsListener): Promise<[RedisCredentials, { dispose(): void }]>;
  onReAuthenticationError(error: Error): void;
  /**
   * The server refused a connection for the token that was given last: the next connection has another. The client
   * tells nobody of it; call it where `connect` fails with `WRONGPASS`, and connect again.
   */
  refused(): void;
}

/** What {@link credentialsProvider} can be told. */
export interface CredentialsProviderSettings {
  /** The name that the server's `AUTH` wants beside the token. Default: none, which is the server's user `default`. */
  readonly username?: string;
}

/**
 * `createClient({ credentialsProvider: credentialsProvider(credential) })`: the token as the password of each
 * connection. A new one, by a renewal ahead, goes to the connections that are open.
 * @throws {OidcError} from its `subscribe`: the codes of {@link Credential.getToken}.
 */
export function credentialsProvider(
  credential: Pick<Credential, "getToken" | "subscribe">,
  { username }: CredentialsProviderSettings = {},
): RedisCredentialsProvider {
  let given: string | undefined;
  let rejectedToken: string | undefined;
  const credentialsOf = ({ token }: AccessToken): RedisCredentials => {
    given = token;
    return { ...(username === undefined ? {} : { username }), password: token };
  };
  const listeners = new Set<RedisCredentialsListener>();
  return {
    type: "streaming-credentials-provider",
    async subscribe(listener) {
      const first = await credential.getToken({ rejectedToken });
      rejectedToken = undefined;
      const stop = credential.subscribe((token) => listener.onNext(credentialsOf(token)));
      listeners.add(listener);
      const dispose = (): void => {
        listeners.delete(listener);
        stop();
      };
      return [credentialsOf(first), { dispose }];
    },
    onReAuthenticationError() {
      // Whoever is subscribed is told of the one that takes its place.
      credential.getToken({ rejectedToken: given }).catch((error: unknown) => {
        for (const listener of listeners) listener.onError(error as Error);
      });
    },
    refused() {
      rejectedToken = given;
    },
  };
}
