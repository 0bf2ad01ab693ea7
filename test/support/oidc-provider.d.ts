// Changes when the test provider uses another part of oidc-provider, which ships no types.
declare module "oidc-provider" {
  import type { IncomingMessage, ServerResponse } from "node:http";

  export interface ProviderClient {
    readonly clientId: string;
    readonly clientAuthMethod: string;
    grantTypeAllowed(grantType: string): boolean;
  }

  export interface ProviderContext {
    readonly oidc: {
      readonly params?: Readonly<Record<string, unknown>>;
      readonly body?: Readonly<Record<string, unknown>>;
    };
  }

  export class Provider {
    constructor(issuer: string, configuration: Readonly<Record<string, unknown>>);
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    on(event: "server_error", listener: (context: ProviderContext, error: Error) => void): this;
  }

  export const errors: {
    InvalidGrant: new (detail: string) => Error;
  };
}
