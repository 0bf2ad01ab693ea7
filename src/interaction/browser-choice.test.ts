// Which program counts as a browser, on systems that are played. Changes when another one does, or does no longer.
import { expect, test } from "vitest";
import { playedSystem } from "../../test/support/played-system.ts";
import { createBrowserLauncher, createBrowserSearch } from "./browser.ts";

const url = "http://127.0.0.1:8765/AAAAAAAAAAAAAAAAAAAAAA";

test.for(["w3m", "lynx", "links", "links2", "elinks", "www-browser"])(
  "[F-T10] %s is no browser, by its own name and behind a link",
  async (name) => {
    const path = `/usr/bin/${name}`;
    const link = "/usr/bin/my-browser";
    const system = playedSystem([path, link], {}, { [link]: path });
    const options = {
      system,
      environment: { PATH: "/usr/bin", BROWSER: name },
      platform: "linux",
      logger: undefined,
    } as const;
    // Without a display that says most; as browserCommand the name does.
    expect(await createBrowserLauncher(options)(url, undefined)).toMatchObject({ opened: false });
    expect(await createBrowserLauncher(options)(url, name)).toEqual({
      opened: false,
      problem: `${name} is a text browser`,
    });
    expect(await createBrowserLauncher(options)(url, "my-browser")).toMatchObject({
      opened: false,
    });
    expect(system.spawned).toEqual([]);
  },
);

test("[F-U2] whether there is a browser is known without starting one", async () => {
  const system = playedSystem(["/usr/bin/xdg-open", "/opt/browser"]);
  const problemOf = (environment: Record<string, string>, command?: string) =>
    createBrowserSearch({ environment, platform: "linux", logger: undefined, system })(command);
  const ssh = { SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" };
  expect(await problemOf(ssh)).toBe("SSH session");
  expect(await problemOf({})).toBe("no display");
  expect(await problemOf({ DISPLAY: ":0" })).toBeUndefined();
  expect(await problemOf({ ...ssh, BROWSER: "/opt/browser" })).toBeUndefined();
  expect(await problemOf(ssh, "/opt/browser --new")).toBeUndefined();
  expect(await problemOf({ DISPLAY: ":0" }, "/opt/none")).toBe("none not found");
  expect(system.spawned).toEqual([]);
});
