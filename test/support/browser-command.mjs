#!/usr/bin/env node
// Changes when the stand-in browser can be steered by another variable. A command for $BROWSER: browser-command.mjs URL
import { appendFileSync, readFileSync } from "node:fs";
import { visit } from "../../demo/stand-in-browser.mjs";

const {
  LATCHKEY_TEST_BROWSER_LOG,
  LATCHKEY_TEST_LOGIN,
  LATCHKEY_TEST_BROWSER_DENY,
  LATCHKEY_TEST_CA,
  LATCHKEY_TEST_OTHER_HOST,
} = process.env;

const [url, ...unexpected] = process.argv.slice(2);
if (url === undefined || unexpected.length > 0) {
  process.stderr.write("usage: browser-command.mjs URL\n");
  process.exit(2);
}
// First, so that a test sees what was opened even where the visit fails.
if (LATCHKEY_TEST_BROWSER_LOG) appendFileSync(LATCHKEY_TEST_BROWSER_LOG, `${url}\n`);

await visit(url, {
  login: LATCHKEY_TEST_LOGIN || "alice",
  deny: LATCHKEY_TEST_BROWSER_DENY === "1",
  fromStart: /^\/[\w-]{22}$/.test(new URL(url).pathname),
  ...(LATCHKEY_TEST_OTHER_HOST ? { otherHost: LATCHKEY_TEST_OTHER_HOST } : {}),
  ...(LATCHKEY_TEST_CA ? { certificateAuthority: readFileSync(LATCHKEY_TEST_CA, "utf8") } : {}),
});
