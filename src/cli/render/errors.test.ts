// The library's words as the command line says them.

import { expect, test } from "vitest";
import { OidcError } from "../../core/errors.ts";
import { errorParagraph, inFlags } from "./errors.ts";

test("what the library says of its methods and options is said of commands and flags here [F-U14]", () => {
  const paragraph = (message: string): string =>
    errorParagraph(new OidcError("login_required", message), ["--client-id=x"]);
  expect(paragraph("None. Call `login()`.")).toBe(
    "None. Run: latchkey login --client-id x [login_required]",
  );
  expect(paragraph("Forget it first: `logout()`.")).toBe(
    "Forget it first: latchkey logout. [login_required]",
  );
  expect(inFlags("Set `cachePath` to a place, or `flow: device`.")).toBe(
    "Set --cache-path to a place, or --flow device.",
  );
});
