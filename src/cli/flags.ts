// The flags that are not options: those of every command, and those that several commands share.

import type { FlagSpec } from "./spec.ts";

/** The grants that can be named (RFC 7591 section 2): without one a person signs in. */
export const grantTypes = ["client_credentials"] as const;

/** The profile that applies where nothing else is named. */
export const defaultProfile = "default";

/** In addition to options, every command takes these. */
export const commonFlags: readonly FlagSpec[] = [
  {
    name: "profile",
    kind: "profile",
    summary: "take the options of [profile.NAME]; [profile.default] where nothing is named",
    placeholder: "NAME",
    choosesSignIn: true,
    variable: true,
    warm: true,
  },
  {
    name: "grant-type",
    kind: "words",
    values: grantTypes,
    summary: "client_credentials: the client signs in as itself, without a person",
    placeholder: "GRANT",
    choosesSignIn: true,
    variable: true,
    profileKey: true,
    warm: true,
  },
  {
    name: "client-secret-file",
    kind: "file",
    summary: "file with the client secret; -: standard input",
    placeholder: "FILE",
    choosesSignIn: true,
    profileKey: true,
    warm: true,
  },
  {
    name: "verbose",
    kind: "switch",
    summary: "print what happens, one line each, on standard error",
  },
  { name: "help", kind: "switch", letter: "h", summary: "show this" },
  { name: "version", kind: "switch", summary: "print the version" },
];

export const json: FlagSpec = {
  name: "json",
  kind: "switch",
  summary: "print JSON",
  answerForm: true,
  warm: true,
};

export const idToken: FlagSpec = {
  name: "id-token",
  kind: "switch",
  summary: "take the ID token instead",
  warm: true,
};

export const forceRefresh: FlagSpec = {
  name: "force-refresh",
  kind: "switch",
  summary: "renew it even if the cached one is valid",
};

export const minValiditySeconds: FlagSpec = {
  name: "min-validity-seconds",
  kind: "wholeSeconds",
  summary: "minimum remaining lifetime, in seconds (default\u00a060)",
  placeholder: "N",
  warm: true,
};

export const interactive: FlagSpec = {
  name: "interactive",
  kind: "negatable",
  summary: "sign in where nothing else is left (default\u00a0on)",
  variable: true,
  warm: true,
};

export const keychain: FlagSpec = {
  name: "keychain",
  kind: "switch",
  summary: "keep the sign-in sealed, its key in the system's keychain (as --storage keychain)",
};

export const replace: FlagSpec = {
  name: "replace",
  kind: "switch",
  summary: "replace a profile of that name that has other values",
};

export const roleArn: FlagSpec = {
  name: "role-arn",
  kind: "text",
  summary: "the role of AWS to take on (else AWS_ROLE_ARN)",
  placeholder: "ARN",
};

export const yes: FlagSpec = {
  name: "yes",
  kind: "switch",
  summary: "go on without asking",
};
