// The public entry point `latchkey`: exports alone.

export { BearerTokenAuth, type BearerTokenAuthOptions } from "./credential/bearer-token-auth.ts";
export {
  OidcCredentialsAuth,
  type OidcCredentialsAuthOptions,
} from "./credential/client-credentials-auth.ts";
export { createFetch } from "./credential/create-fetch.ts";
export { OidcAuth, type OidcAuthOptions } from "./credential/oidc-auth.ts";
export { fileStore, memoryStore, type FileStoreSettings } from "./credential/stores.ts";
export { terminalPrompt, type TerminalPromptSettings } from "./credential/terminal-prompt.ts";
export type { OidcErrorCode } from "./core/error-codes.ts";
export { errorCodes } from "./core/error-table.ts";
export { isOidcError, OidcError } from "./core/errors.ts";
export type { LatchkeyEvent, LatchkeyEvents, Logger } from "./core/events.ts";
export type {
  AuthorizationUrlEvent,
  DeviceCodeEvent,
  PromptEvent,
  PromptHandler,
  SettledEvent,
  TrustedAnswer,
  TrustQuestionEvent,
  WaitingForOtherEvent,
  WarningEvent,
} from "./core/prompt.ts";
export type {
  CallMention,
  CommandMention,
  OptionMention,
  TrustMention,
  Wording,
  WordingPart,
} from "./core/wording.ts";
export type {
  AccessToken,
  CallOptions,
  Credential,
  GetTokenOptions,
  GivenToken,
  IdTokenClaims,
  LogoutOptions,
  LogoutResult,
  TokenListener,
} from "./core/types.ts";
export type { OidcIssuer, OidcIssuerSource } from "./core/oidc-issuer.ts";
export type { SignIn, UserInfoClaims } from "./session/session-types.ts";
export type {
  AcquireOptions,
  FlightLock,
  Lease,
  LockHolder,
  RecordStore,
  ReplaceResult,
  SharedOutcome,
  StoreLevel,
  StoredRecord,
  StoreWarning,
  TokenStore,
  WorkOutcome,
  WorkPhase,
} from "./store/token-store.ts";
