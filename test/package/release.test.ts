// What the release script refuses.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly version: string;
};

test("a release whose tag, changelog or repository is another's is refused before anything is done", () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [`${root}scripts/release.mjs`, "--check"],
    {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], GITHUB_REF_NAME: "v0.0.0", GITHUB_REPOSITORY: "a/b" },
    },
  );
  expect(status).toBe(1);
  expect(stderr).toContain(`The tag is v0.0.0, and the version is ${version}.`);
  expect(stderr).toContain("`repository` in package.json is not the repository of this workflow.");
});
