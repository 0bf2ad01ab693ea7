// The reference of the error codes, made from the error table and its texts.

import { loadSource } from "./load-source.mjs";

const { errorCodes, decisionsFor, isProtocolReason, reasonsOf } =
  await loadSource("src/core/error-table.ts");
const { errorTexts } = await loadSource("src/core/error-texts.ts");
const { protocolTexts } = await loadSource("src/core/protocol-texts.ts");

const { namedWords } = await loadSource("src/provider/error-words-named.ts");
const { worded } = await loadSource("src/core/wording.ts");

function cell(text) {
  return text.replaceAll("|", "\\|");
}

function codeRow(code) {
  const { exitCode, retry } = decisionsFor(code);
  const { meaning, remedy } = errorTexts[code];
  const status = `${exitCode}${retry === "retryable" ? ", retryable" : ""}`;
  return `| \`${code}\` | ${status} | ${cell(meaning)} | ${cell(remedy)} |`;
}

/** A standard's errors stand in a table of their own, but where they mean something else for a code. */
function ownReasons(code) {
  const { reasons } = errorTexts[code];
  return reasonsOf(code).filter(
    (reason) => !isProtocolReason(reason) || reasons[reason] !== protocolTexts[reason],
  );
}

function reasonRows(code) {
  return ownReasons(code).map(
    (reason) => `| \`${code}\` | \`${reason}\` | ${cell(errorTexts[code].reasons[reason])} |`,
  );
}

/** The words that a row is found by, as a person reads them. */
function wordsOf({ error, description }) {
  const source = description?.source ?? "";
  const codes = source.startsWith("AADSTS") ? source.match(/\d{5,}/g) : undefined;
  const texts = codes
    ? codes.map((code) => `AADSTS${code}`)
    : source
        .replaceAll(/^\^|\$$|\\/g, "")
        .replaceAll(/(?:\.|\[[^\]]*\])\{\d,\d+\}/g, "…")
        .split("|");
  const said = source === "" ? "" : texts.map((text) => `\`${text}\``).join(", ");
  return [error === undefined ? "" : `\`${error}\``, said].filter((part) => part !== "").join(": ");
}

function namedRow(provider, row) {
  return `| ${provider} | ${cell(wordsOf(row))} | ${cell(row.meaning)} | ${cell(worded(row.remedy ?? ""))} |`;
}

const withProtocolReasons = errorCodes.filter(
  (code) => "invalid_client" in errorTexts[code].reasons,
);

/** The page `docs/errors.md`. */
export const errorReference = `# Errors

The tables are made from the error table by \`npm run generate\`.

Every fault outside of the program is an \`OidcError\`. Decide by \`code\`, and by
\`reason\` where there is one; messages are for people and may change. \`retryable\`
is true where the same call may succeed later without anybody changing anything.
Where the provider answered with an error of its own, \`providerError\` and
\`providerErrorDescription\` have it. \`isOidcError(error)\` is true for errors from
any installed copy of the package.

The message says what happened, at which step and host, then what to do next, then
what the provider says itself. What to do is data, too: \`remedy\` is a list of pieces,
each of them text, an option (\`{ option: "callbackPort" }\`, with a \`value\` where there is
one to set), a call (\`{ call: "login" }\`) or a command of the system
(\`{ run: "chmod 600 …" }\`). A program that shows errors to its own users puts its own
names in their place. The message has the library's names; the command line says
\`--callback-port\`, and \`latchkey login\` with the words of this run.

The command line prints the message as one paragraph that ends with \`[code]\` or
\`[code: reason]\`, and ends with the status in the second column.

| code | exit | meaning | what to do |
|---|---|---|---|
${errorCodes.map(codeRow).join("\n")}

On the command line an interrupted run ends with 130, a terminated one with 143.

## Reasons

| code | reason | meaning |
|---|---|---|
${errorCodes.flatMap(reasonRows).join("\n")}

${withProtocolReasons.map((code) => `\`${code}\``).join(", ")} may have the standards' own errors as reasons, too:

| reason | meaning |
|---|---|
${Object.entries(protocolTexts)
  .map(([reason, meaning]) => `| \`${reason}\` | ${cell(meaning)} |`)
  .join("\n")}

## In a provider's own words

Providers say more in \`error_description\` than in \`error\`. What these are known to mean is part
of the message. The sources stand with each row in \`src/provider/error-words-entra.ts\` and
\`src/provider/error-words-named.ts\`; what is not in the table is told by its \`error\` alone, with the
provider's words at the end.

| provider | says | meaning | what to do |
|---|---|---|---|
${namedWords.flatMap(({ provider, rows }) => rows.map((row) => namedRow(provider, row))).join("\n")}
`;
