#!/usr/bin/env node
// Changes when a test must hold a browser back at another point: patient-browser.mjs before|between FILE URL
// Signs in as alice as soon as FILE is there; waits for it before the start address, or between that and the page.
import { once } from "node:events";
import { appendFileSync, existsSync } from "node:fs";
import { get } from "node:http";
import { dirname } from "node:path";
import { visit } from "../../demo/stand-in-browser.mjs";

const [when, file = "", url = ""] = process.argv.slice(2);
const { LATCHKEY_TEST_BROWSER_LOG } = process.env;
if (LATCHKEY_TEST_BROWSER_LOG) appendFileSync(LATCHKEY_TEST_BROWSER_LOG, `${url}\n`);
const fileThere = async () => {
  while (!existsSync(file)) {
    // The test is over, and took its folder with it.
    if (!existsSync(dirname(file))) process.exit();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const fromStart = /\/[\w-]{22}$/.test(url);
if (when === "before" || !fromStart) {
  await fileThere();
  await visit(url, { fromStart });
} else {
  const [led] = await once(get(url), "response");
  await fileThere();
  await visit(led.headers.location);
}
