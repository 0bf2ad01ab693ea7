// The entry point `latchkey/kafka`: a credential as the SASL mechanism OAUTHBEARER of Kafka's clients takes one.

import type { Credential } from "../core/types.ts";

export type { AccessToken, Credential } from "../core/types.ts";

/** What {@link oauthBearerProvider} can be told. */
export interface OauthBearerProviderSettings {
  /** SASL extensions (RFC 7628), such as `logicalCluster` and `identityPoolId`. */
  readonly extensions?: Readonly<Record<string, string>>;
  /** The name that librdkafka wants to know of the person or program. Default: the subject of the ID token, else `latchkey`. */
  readonly principal?: string;
}

/** What a client is given: `kafkajs` reads `value` and `extensions`, Confluent's client the others too. */
export interface OauthBearerToken {
  readonly value: string;
  readonly principal: string;
  /** When the token ends, in milliseconds since the epoch. */
  readonly lifetime: number;
  readonly extensions?: Record<string, string>;
}

/** As `sasl.oauthBearerProvider` of the clients. */
export interface OauthBearerProvider {
  (): Promise<OauthBearerToken>;
  /**
   * The broker refused the token that was given last: the next connection has another. Clients tell nobody of a
   * refusal; call it where `connect` fails with the client's error of authentication, and connect again.
   */
  refused(): void;
}

/** kafkajs asks again ten seconds before the end, and the broker ends the connection there. */
const minValiditySeconds = 60;

/** librdkafka wants an end. A token without one is asked for again after an hour. */
const unknownLifetimeMilliseconds = 3_600_000;

/**
 * `sasl: { mechanism: "oauthbearer", oauthBearerProvider: oauthBearerProvider(credential) }` for `kafkajs`, and for
 * the KafkaJS interface of `@confluentinc/kafka-javascript`. It is asked at each connection, and again before the token
 * ends.
 * @throws {OidcError} the codes of {@link Credential.getToken}.
 */
export function oauthBearerProvider(
  credential: Pick<Credential, "getToken">,
  { extensions, principal }: OauthBearerProviderSettings = {},
): OauthBearerProvider {
  let given: string | undefined;
  let rejectedToken: string | undefined;
  const provide = async (): Promise<OauthBearerToken> => {
    const { token, expiresAt, claims } = await credential.getToken({
      minValiditySeconds,
      rejectedToken,
    });
    rejectedToken = undefined;
    given = token;
    return {
      value: token,
      principal: principal ?? claims?.sub ?? "latchkey",
      lifetime: expiresAt?.getTime() ?? Date.now() + unknownLifetimeMilliseconds,
      ...(extensions === undefined ? {} : { extensions: { ...extensions } }),
    };
  };
  return Object.assign(provide, {
    refused: () => {
      rejectedToken = given;
    },
  });
}
