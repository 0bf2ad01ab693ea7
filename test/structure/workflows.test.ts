// The workflows: what others wrote is pinned, what is ours is a script that everybody can run, and only the release may sign.

import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}.github/workflows/`;
const workflows = readdirSync(folder).map((name) => ({
  name,
  // Without comments, but for the version behind a commit.
  text: readFileSync(folder + name, "utf8").replace(/^\s*#.*\n/gm, ""),
}));
const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};

test("every action is pinned by its commit, the same one everywhere, with its version", () => {
  const uses = workflows.flatMap(({ text }) =>
    [...text.matchAll(/\buses: *(.*)$/gm)].map(([, what = ""]) => what),
  );
  expect(uses.length).toBeGreaterThan(4);
  const pinned = /^[\w.-]+\/[\w.-]+@[\da-f]{40} # v\d+\.\d+\.\d+$/;
  expect(uses.filter((what) => !pinned.test(what))).toEqual([]);
  const actions = new Set(uses.map((what) => what.split("@")[0]));
  expect(new Set(uses).size).toBe(actions.size);
});

test("every step of ours is a script of package.json", () => {
  const steps = workflows.flatMap(({ name, text }) =>
    [...text.matchAll(/\brun: *(.*)$/gm)].map(([, command = ""]) => ({ name, command })),
  );
  expect(steps.length).toBeGreaterThan(5);
  const unknown = steps.filter(({ command }) => {
    // As root, with the environment that a system is set up with.
    const own = command.replace(/^sudo env "PATH=\$PATH" CI=true /, "");
    const script = /^npm (?:run )?([\w:]+)$/.exec(own)?.[1];
    return own !== "npm ci --ignore-scripts" && (script === undefined || !(script in scripts));
  });
  expect(unknown).toEqual([]);
});

test("no workflow may more than read, and only the release may sign", () => {
  for (const { text } of workflows) {
    expect(text).toMatch(/^permissions:\n {2}contents: read\n\n/m);
    expect(text).not.toMatch(/pull_request_target|secrets\.|github\.event|github\.head_ref/);
    const checkouts = text.match(/actions\/checkout@/g)?.length ?? 0;
    expect(text.match(/persist-credentials: false/g)).toHaveLength(checkouts);
  }
  const writing = workflows.flatMap(({ name, text }) =>
    [...text.matchAll(/([\w-]+): write\b/g)].map(([, what = ""]) => `${name} ${what}`),
  );
  expect(writing).toEqual(["release.yml id-token"]);
});
