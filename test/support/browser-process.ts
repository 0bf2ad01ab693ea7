// A process that opens one address and then has nothing more to do. Changes when a test needs to see more of it.
import { createBrowserLauncher } from "../../src/interaction/browser.ts";

const [url = "", command] = process.argv.slice(2);
const open = createBrowserLauncher({
  environment: process.env,
  platform: process.platform,
  logger: undefined,
});
process.stdout.write(JSON.stringify(await open(url, command)));
