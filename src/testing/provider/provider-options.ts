// The options of the test provider, checked and with their defaults. Changes when it gains one.

import { ownOptions } from "../../options/own-options.ts";
import { refusal } from "../../options/validate.ts";
import type { TestPerson, TestProviderOptions } from "./provider-types.ts";

/** Every option with its value. */
export interface ProviderSettings {
  readonly port: number;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly person: TestPerson;
  readonly tokenLifetimeSeconds: number;
  readonly refreshTokens: NonNullable<TestProviderOptions["refreshTokens"]>;
  readonly audience: string | undefined;
}

const refreshTokenWords = ["rotating", "lasting", "none"] as const;

const alice: TestPerson = {
  subject: "alice",
  claims: { name: "Alice Example", email: "alice@example.com", email_verified: true },
};

const known = [
  "port",
  "clientId",
  "clientSecret",
  "person",
  "tokenLifetimeSeconds",
  "refreshTokens",
  "audience",
];

function isPerson(value: unknown): value is TestPerson {
  return (
    typeof value === "object" &&
    value !== null &&
    "subject" in value &&
    typeof value.subject === "string" &&
    value.subject !== ""
  );
}

/** @throws {OidcError} `invalid_option`. */
export function checkedProviderOptions(options: TestProviderOptions): ProviderSettings {
  const given = ownOptions(options, known, "{ clientSecret }");
  const checked = <Value>(
    name: keyof TestProviderOptions,
    isAccepted: (value: unknown) => value is Value,
    accepted: string,
  ): Value | undefined => {
    const value = given[name];
    if (value === undefined || isAccepted(value)) return value;
    throw refusal(`\`${name}\``, value, accepted);
  };
  const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
  const isPort = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 65_535;
  const isLifetime = (value: unknown): value is number =>
    Number.isInteger(value) && Number(value) > 0;
  const isWord = (value: unknown): value is ProviderSettings["refreshTokens"] =>
    (refreshTokenWords as readonly unknown[]).includes(value);
  return {
    port: checked("port", isPort, "a port from 0 to 65535") ?? 0,
    clientId: checked("clientId", isText, "a text") ?? "test-client",
    clientSecret: checked("clientSecret", isText, "a text"),
    person: checked("person", isPerson, 'an object such as { subject: "alice" }') ?? alice,
    tokenLifetimeSeconds:
      checked("tokenLifetimeSeconds", isLifetime, "a whole number of seconds above 0") ?? 3600,
    refreshTokens:
      checked("refreshTokens", isWord, refreshTokenWords.map((word) => `"${word}"`).join(", ")) ??
      "rotating",
    audience: checked("audience", isText, "a text"),
  };
}
