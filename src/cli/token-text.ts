// What `latchkey token` prints. Changes when an output form of that command does.

/** What is known of the token that is printed. */
export interface PrintedToken {
  readonly token: string;
  readonly tokenType: string;
  readonly expiresAt: Date | undefined;
  readonly scopes: readonly string[];
  readonly idToken?: string | undefined;
  readonly source: string;
}

/** Controls beyond C0, line separators, bidirectional and zero-width characters: JSON leaves them as they are (O06). */
const unprintable =
  /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** JSON in which every character that could steer a terminal is escaped; it means the same. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function formed({ token, tokenType }: PrintedToken, format: boolean | string | undefined): string {
  const bearer = `${tokenType} ${token}`;
  switch (format) {
    case "header":
      return `Authorization: ${bearer}`;
    case "bearer":
      return bearer;
    case "curl":
      // A line of a curl configuration file (`curl -K -`), where a quoted value has these two escapes.
      return `header = "Authorization: ${bearer.replace(/["\\]/g, "\\$&")}"`;
    case "env":
      // For `eval`: between single quotes a shell reads nothing but the quote itself.
      return `export LATCHKEY_ACCESS_TOKEN='${token.replaceAll("'", "'\\''")}'`;
    default:
      return token;
  }
}

/** The whole output of `latchkey token`, with its newline. */
export function tokenText(
  token: PrintedToken,
  flags: Readonly<Record<string, boolean | string>>,
): string {
  if (flags["json"] === true) {
    const { tokenType, expiresAt, scopes, idToken, source } = token;
    return `${printableJson({
      token: token.token,
      tokenType,
      expiresAt: expiresAt?.toISOString() ?? null,
      scopes,
      idToken: idToken ?? null,
      source,
    })}\n`;
  }
  return `${formed(token, flags["header"] === true ? "header" : flags["format"])}\n`;
}
