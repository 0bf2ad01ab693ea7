import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isOidcError } from "../core/errors.ts";
import type { Machine } from "../options/paths.ts";
import { readClientSecret, type SecretFile } from "./secret-file.ts";
import { createHome, type Home } from "./testing.ts";

let home: Home;
let path: string;
let machine: Machine;
beforeEach(() => {
  home = createHome();
  path = join(home.path, "secret");
  machine = {
    environment: {},
    platform: "linux",
    homeDirectory: home.path,
    workingDirectory: home.path,
  };
});
afterEach(() => home.remove());

const read = (file: string): Promise<SecretFile> =>
  readClientSecret(file, machine, new AbortController().signal);

async function refusal(file: string): Promise<string> {
  try {
    await read(file);
  } catch (error) {
    if (!isOidcError(error) || error.code !== "invalid_option") throw error;
    return error.message;
  }
  throw new Error("the file was accepted");
}

test("one newline at the end is not part of the secret", async () => {
  for (const [content, secret] of [
    ["s3cret", "s3cret"],
    ["s3cret\n", "s3cret"],
    ["s3cret\r\n", "s3cret"],
    ["s3cret \n\n", "s3cret \n"],
  ] as const) {
    writeFileSync(path, content, { mode: 0o600 });
    expect(await read(path)).toEqual({ secret, warning: undefined });
  }
});

test("~ and relative paths are found", async () => {
  writeFileSync(path, "s3cret\n", { mode: 0o600 });
  expect((await read("~/secret")).secret).toBe("s3cret");
  expect((await read("secret")).secret).toBe("s3cret");
});

test("a file that others can read is used with a warning that says what to type", async () => {
  writeFileSync(path, "s3cret\n");
  for (const mode of [0o640, 0o604, 0o644]) {
    chmodSync(path, mode);
    expect((await read(path)).warning).toContain(`chmod 600 ${path}`);
  }
});

test("missing, empty, too long and a folder: each said, nothing of the content shown [O07]", async () => {
  expect(await refusal(path)).toContain("does not exist");
  writeFileSync(path, "\n", { mode: 0o600 });
  expect(await refusal(path)).toContain("is empty");
  writeFileSync(path, "s3cret".repeat(20_000), { mode: 0o600 });
  const message = await refusal(path);
  expect(message).toContain("longer than 65536 bytes");
  expect(message).not.toContain("s3cret");
  expect(await refusal(home.path)).toContain("could not be read (EISDIR)");
});

test("a pipe can be handed in", async () => {
  execFileSync("mkfifo", [path]);
  // The writer's open waits for the reader's, so both meet without any other arrangement.
  execFileSync("sh", ["-c", `printf 's3cret\\n' > "$1" &`, "sh", path], { stdio: "ignore" });
  expect(await read(path)).toEqual({ secret: "s3cret", warning: undefined });
});
