// What a flow is given, made from options as a credential makes it, for tests.

import { configFromOptions, settingsFromOptions } from "../credential/sign-in-source.ts";
import { resolveOptions } from "../options/resolve.ts";
import type { SignInContext, SignInInput } from "./sign-in-config.ts";

/** One sign-in with these options. */
export async function inputWith(
  options: object,
  context: SignInContext = { signal: new AbortController().signal },
): Promise<SignInInput> {
  const resolved = resolveOptions(options, "interactive");
  const config = await configFromOptions(resolved).read(context.signal);
  return { config, settings: settingsFromOptions(resolved), context };
}
