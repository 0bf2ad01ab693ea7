// What the codes about a server's word mean to a person: a part of error-texts.ts.

import type { ErrorReasons } from "./error-codes.ts";

type Code =
  | "server_config_changed"
  | "issuer_untrusted"
  | "server_config_failed"
  | "resource_mismatch";

/** The codes about what a server says of its provider, in words. */
export const serverWordTexts: {
  readonly [Each in Code]: {
    readonly meaning: string;
    readonly remedy: string;
    readonly reasons: Readonly<Record<ErrorReasons[Each], string>>;
  };
} = {
  server_config_changed: {
    meaning:
      "the server names another issuer, client or audience than it did when it was accepted, or more scopes; nothing was sent to that issuer",
    remedy:
      "ask whoever runs the server whether the change is theirs; then `latchkey trust accept SERVER`, or accept the event `trustQuestion`",
    reasons: {
      declined: "a person was shown both, and refused",
      unanswered: "a person was shown both, and did not answer",
    },
  },
  issuer_untrusted: {
    meaning:
      "the server names an issuer or a client that nobody has accepted; nothing was sent to that issuer",
    remedy:
      "`latchkey trust accept SERVER`, accept the event `trustQuestion`, or set `issuer` and `clientId`",
    reasons: {
      declined: "a person was asked, and refused",
      unanswered: "a person was asked, and did not answer",
      secret_issuer_unbound:
        "a client secret, key or certificate would go to an issuer that nobody has accepted",
      pins_unusable: "what was accepted before cannot be read; `cause` says why",
    },
  },
  server_config_failed: {
    meaning: "the server was asked which provider to use, and gave no usable answer",
    remedy: "ask whoever runs the server, or set `issuer`, `clientId` and `scopes`",
    reasons: {
      not_found: "it has no such answer",
      not_configured: "it says that it is not configured",
      server_error: "it failed",
      malformed: "its answer cannot be understood, or is not acceptable",
      several_issuers: "it names several providers, and none of them was chosen",
      no_audience: "`useServerAudience` wants an audience of it, and it names none",
    },
  },
  resource_mismatch: {
    meaning:
      "what the server says of its provider is about another resource than the one that was asked",
    remedy: "check `server`, or ask whoever runs it",
    reasons: {},
  },
};
