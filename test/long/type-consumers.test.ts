// The declarations of the package, compiled by the versions of TypeScript that programs use.

import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { consumerSource } from "../support/consumer.ts";
import { compilerOf } from "../support/typescript-versions.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "latchkey-types-"));
  execFileSync("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], {
    cwd: root,
    stdio: "ignore",
  });
  const { version, exports, peerDependencies } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  ) as {
    readonly version: string;
    readonly exports: Readonly<Record<string, string | object>>;
    readonly peerDependencies: Readonly<Record<string, string>>;
  };
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  execFileSync("tar", ["-xzf", join(folder, `latchkey-${version}.tgz`), "-C", modules]);
  cpSync(join(modules, "package"), join(modules, "latchkey"), { recursive: true });
  for (const name of ["@types/node", ...Object.keys(peerDependencies)]) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  const entries = Object.keys(exports).filter((name) => typeof exports[name] === "object");
  const source = consumerSource(entries.map((name) => name.replace(/^\./, "latchkey")));
  writeFileSync(join(folder, "consumer.ts"), source);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the compiler says of the program, and with which status it ends. */
async function compile(
  range: string,
  resolution: string,
): Promise<readonly [number | null, string]> {
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        skipLibCheck: false,
        target: "ES2023",
        lib: ["ES2023", "ESNext.Disposable"],
        module: resolution === "bundler" ? "esnext" : "nodenext",
        moduleResolution: resolution,
        types: ["node"],
      },
      files: ["consumer.ts"],
    }),
  );
  const compiler = await compilerOf(range);
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-p", "."], {
    cwd: folder,
    encoding: "utf8",
  });
  return [status, stdout];
}

// The older compilers take ten times as long, so each has one of the two.
test.each([
  ["~5.9", "nodenext"],
  ["6", "bundler"],
  ["7", "nodenext"],
  ["7", "bundler"],
])("TypeScript %s compiles a program that uses every entry, with %s", async (range, resolution) => {
  expect(await compile(range, resolution)).toEqual([0, ""]);
});

test("a declaration that is broken is seen", async () => {
  const path = join(folder, "node_modules", "latchkey", "dist", "core", "types.d.ts");
  const text = readFileSync(path, "utf8");
  const broken = text.replace("expiresAt: Date | undefined;", "expiresAt: string;");
  expect(broken).not.toBe(text);
  writeFileSync(path, broken);
  try {
    const [status, stdout] = await compile("7", "nodenext");
    expect(status).not.toBe(0);
    expect(stdout).toContain("error TS");
  } finally {
    writeFileSync(path, text);
  }
});
