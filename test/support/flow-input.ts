// What a flow is given, made from options as a credential makes it, for tests.

import { configFromOptions, settingsFromOptions } from "../../src/credential/sign-in-source.ts";
import { resolveOptions } from "../../src/options/resolve.ts";
import type { SignInContext, SignInInput } from "../../src/flow/sign-in-config.ts";

/** For options that name no server. */
export const noServer = (): Promise<never> => Promise.reject(new Error("no server is named"));

/** One sign-in with these options. */
export async function inputWith(
  options: object,
  context: SignInContext = { signal: new AbortController().signal },
): Promise<SignInInput> {
  const resolved = resolveOptions(options, "interactive");
  const config = await configFromOptions(resolved, noServer).read(context);
  return { config, settings: settingsFromOptions(resolved), context };
}
