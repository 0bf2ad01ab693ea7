// Files that the user named and that have power. Changes when what such a file must be does.
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { readCaBundle } from "../http/trust-roots.ts";
import { ensurePrivateFolder } from "./atomic-write.ts";
import { powerProblem } from "./powerful-file.ts";
import { fileProblem, readPrivateFileSync } from "./secure-read.ts";
import { worded } from "../core/wording.ts";

const isRoot = process.geteuid?.() === 0;
const me = process.geteuid?.() ?? 0;
const nobody = 65_534;
let root = "";
let folder = "";
let path = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "latchkey-power-"));
  folder = join(root, "settings");
  mkdirSync(folder, { mode: 0o755 });
  path = join(folder, "file");
  writeFileSync(path, "content", { mode: 0o644 });
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const problem = (at = path, user = me): string | undefined => {
  const found = powerProblem(at, statSync(at), user);
  return found === undefined ? undefined : `${found.what}. ${worded(found.remedy)}`;
};

describe.skipIf(process.platform === "win32")("a file with power [F-S7]", () => {
  test("of the user, in a folder that others can read, is used; so is one of root", () => {
    expect(problem()).toBeUndefined();
  });

  test.each([0o775, 0o757, 0o777])("in a folder of mode %o is not", (mode) => {
    chmodSync(folder, mode);
    expect(problem()).toContain(`lies in the folder ${folder}`);
    expect(problem()).toContain(`chmod go-w ${folder}`);
  });

  test("in a folder where nobody removes what is another's is used", () => {
    chmodSync(folder, 0o1777);
    expect(problem()).toBeUndefined();
  });

  test.skipIf(!isRoot)(
    "of another user, or in a folder of another user, is not (needs root)",
    () => {
      chownSync(path, nobody, nobody);
      expect(problem()).toContain(`belongs to user ${nobody}`);
      chownSync(path, 0, 0);
      chownSync(folder, nobody, nobody);
      expect(problem()).toContain(`lies in the folder ${folder}, which belongs to user ${nobody}`);
      // For that user it is: root's file, in a folder of theirs.
      expect(problem(path, nobody)).toBeUndefined();
    },
  );

  test("behind links is used, as a container's secrets are", () => {
    // Kubernetes: secret/token -> ..data/token, secret/..data -> ..2026_01_01; the volume's folder is 1777.
    const secret = join(root, "secret");
    const version = join(secret, "..2026_01_01");
    mkdirSync(version, { recursive: true, mode: 0o755 });
    writeFileSync(join(version, "token"), "t", { mode: 0o644 });
    symlinkSync("..2026_01_01", join(secret, "..data"));
    symlinkSync("..data/token", join(secret, "token"));
    chmodSync(secret, 0o1777);
    expect(problem(join(secret, "token"))).toBeUndefined();
  });

  test.skipIf(!isRoot)("behind a link that another user made is not (needs root)", () => {
    const shared = join(root, "shared");
    mkdirSync(shared);
    chmodSync(shared, 0o1777);
    const link = join(shared, "ca.pem");
    symlinkSync(path, link);
    lchownSync(link, nobody, nobody);
    expect(problem(link)).toContain(`the symbolic link ${link}, which belongs to user ${nobody}`);
  });

  test("behind a link into a folder that others can change is not", () => {
    const link = join(root, "link");
    symlinkSync(path, link);
    expect(problem(link)).toBeUndefined();
    chmodSync(folder, 0o777);
    expect(problem(link)).toContain(`lies in the folder ${folder}`);
  });

  test("a CA bundle is such a file", () => {
    chmodSync(path, 0o666);
    const refused = (isNamedByUser?: boolean): unknown => {
      try {
        return readCaBundle(path, isNamedByUser);
      } catch (error) {
        return error;
      }
    };
    expect(refused()).toMatchObject({
      code: "ca_bundle_invalid",
      message: expect.stringContaining("can be written by other users (mode 0666)"),
    });
    // What Node trusts by its own variable is Node's to judge.
    expect(refused(false)).toMatchObject({
      message: expect.stringContaining("is not in PEM form"),
    });
  });
});

const remedyOf = (at: string, user: number): string =>
  worded(fileProblem(at, statSync(at), "private", user)?.remedy ?? []);

describe.skipIf(process.platform === "win32")("advice [F-S12]", () => {
  test.skipIf(!isRoot)("never is a command that follows a planted link (needs root)", () => {
    const link = join(root, "planted");
    symlinkSync(folder, link);
    lchownSync(link, nobody, nobody);
    chownSync(path, 12_345, 12_345);
    const at = join(link, "file");
    for (const user of [54_321, nobody]) {
      const said = remedyOf(at, user);
      expect(said).not.toContain("Type:");
      expect(said).toContain(`${link} is a symbolic link`);
    }
    chownSync(path, 54_321, 54_321);
    expect(remedyOf(at, 54_321)).not.toContain("Type:");
    expect(remedyOf(path, 54_321)).toContain("Type: chmod 600");
  });

  test.skipIf(!isRoot)(
    "for a link where a folder above is one too names no command (needs root)",
    () => {
      chmodSync(folder, 0o700);
      const link = join(root, "planted");
      symlinkSync(folder, link);
      lchownSync(link, nobody, nobody);
      symlinkSync(path, join(folder, "cache.json"));
      expect(() => readPrivateFileSync(join(link, "cache.json"), 10)).toThrow(/see who made them/);
      expect(() => readPrivateFileSync(join(folder, "cache.json"), 10)).toThrow(/Type: rm /);
    },
  );

  test.skipIf(!isRoot)(
    "to root about another user's file is not to take it away [F-T5] (needs root)",
    () => {
      chownSync(path, nobody, nobody);
      expect(problem()).toContain("without sudo");
      expect(problem()).not.toContain("chown");
    },
  );
});

test.skipIf(!isRoot)(
  "root makes nothing in a folder of another user [F-T5] (needs root)",
  async () => {
    chownSync(folder, nobody, nobody);
    await expect(ensurePrivateFolder(join(folder, ".local", "state"))).rejects.toMatchObject({
      code: "cache_write_failed",
      reason: "other_user",
    });
    expect(statSync(join(folder, ".local"), { throwIfNoEntry: false })).toBeUndefined();
  },
);
