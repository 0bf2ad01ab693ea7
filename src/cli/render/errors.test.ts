// What an error says of options and calls, in the command line's names.

import { expect, test } from "vitest";
import { OidcError } from "../../core/errors.ts";
import { forgetSignIn, option, say, signInAnew, type Wording } from "../../core/wording.ts";
import { errorParagraph } from "./errors.ts";

const configuration = ["--profile=work"];

function paragraph(summary: string | Wording, remedy?: Wording, quote?: string): string {
  return errorParagraph(new OidcError("login_required", summary, { remedy, quote }), configuration);
}

test("what the library says of its methods and options is said of commands and flags here [F-U14]", () => {
  expect(paragraph("None.", [signInAnew])).toBe(
    "None. Run: latchkey login --profile work [login_required]",
  );
  expect(paragraph("Other.", say`Forget it first: ${forgetSignIn}.`)).toBe(
    "Other. Forget it first: latchkey logout. [login_required]",
  );
  expect(
    paragraph(
      say`${option("issuer")} is wrong.`,
      say`Set ${option("cachePath")} to a place, or ${option("flow", "device")}.`,
    ),
  ).toBe("--issuer is wrong. Set --cache-path to a place, or --flow device. [login_required]");
});

test("what a provider says comes last, and none of it is taken for an option or a call", () => {
  expect(paragraph("Refused.", [signInAnew], "Set `issuer`, call `login()`.")).toBe(
    'Refused. Run: latchkey login --profile work The provider says: "Set `issuer`, call `login()`." [login_required]',
  );
});
