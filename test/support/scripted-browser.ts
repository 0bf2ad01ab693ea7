// Changes when tests need another kind of browser that is no browser.

export { approveDevice, signIn, visit } from "../../demo/stand-in-browser.mjs";
export type { SignInOptions } from "../../demo/stand-in-browser.mjs";

/** For tests in which no browser may open: fails the call, and remembers it for code that swallows failures. */
export function browserThatMustNotOpen(): {
  open(url: string): Promise<never>;
  readonly opened: readonly string[];
} {
  const opened: string[] = [];
  return {
    opened,
    open: async (url) => {
      opened.push(url);
      throw new Error(`a browser was opened at ${new URL(url).origin}, and none may be`);
    },
  };
}
