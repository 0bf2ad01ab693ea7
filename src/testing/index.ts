// The public entry point `latchkey/testing`: exports alone.

export { testFlightLock } from "./lock-suite.ts";
export { testRecordStore, testTokenStore } from "./store-suite.ts";
export type { OpenedTwice, SuiteOptions, TestFunction } from "./suite.ts";
export { startTestProvider } from "./provider/test-provider.ts";
export type {
  TestPerson,
  TestPersonAnswer,
  TestProvider,
  TestProviderEndpoint,
  TestProviderError,
  TestProviderFailure,
  TestProviderOptions,
  TestProviderRequest,
  TestSignInOptions,
} from "./provider/provider-types.ts";
