// What each tool's setup writes, into files as people have them: the lines, where they go, and back to the letter.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { thisMachine } from "../options/paths.ts";
import { takeBackAll } from "./take-back.ts";
import { setupLoaders } from "./tools.ts";
import type { Plan, SetupInput } from "./tool-setup.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "latchkey-setup-"));
  mkdirSync(join(home, "dist"));
  mkdirSync(join(home, "bin"));
  for (const name of ["latchkey", "terraform-credentials-latchkey"]) {
    writeFileSync(join(home, "dist", `${name}.cjs`), "");
    symlinkSync(join(home, "dist", `${name}.cjs`), join(home, "bin", name));
  }
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const role = "arn:aws:iam::123456789012:role/team/developer";
const pool = "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";

async function planOf(
  tool: string,
  more: Partial<SetupInput> = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Plan> {
  const load = setupLoaders[tool];
  if (load === undefined) throw new TypeError(tool);
  const { planSetup } = await load();
  return planSetup({
    machine: { ...thisMachine({ HOME: home, ...environment }), platform: "linux" },
    profile: "work",
    target: undefined,
    roleArn: undefined,
    program: (name) => ({ path: join(home, "bin", name), isOnPath: true }),
    ...more,
  });
}

function write(path: string, text: string): void {
  const file = join(home, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

interface Case {
  readonly tool: string;
  readonly target?: string;
  readonly roleArn?: string;
  readonly file: string;
  readonly before: string | undefined;
  /** HOME stands for the home folder. */
  readonly after: string;
}

const cargoBefore =
  '[registries.own] # ours\nindex = "sparse+https://crates.example.com/index/"\n\n[net]\noffline = true\n';

const cases: readonly Case[] = [
  {
    tool: "docker",
    target: "registry.example.com:5000",
    file: ".docker/config.json",
    before: undefined,
    after: '{\n\t"credHelpers": {\n\t\t"registry.example.com:5000": "latchkey"\n\t}\n}\n',
  },
  {
    tool: "cargo",
    target: "own",
    file: ".cargo/config.toml",
    before: cargoBefore,
    after: cargoBefore.replace(
      "# ours\n",
      '# ours\ncredential-provider = ["cargo-credential-latchkey"]\n',
    ),
  },
  {
    tool: "pnpm",
    target: "https://npm.example.com/team/",
    file: ".npmrc",
    before: "//npm.example.org/:_authToken=secret",
    after:
      "//npm.example.org/:_authToken=secret\n//npm.example.com/team/:tokenHelper=HOME/bin/latchkey token --profile=work\n",
  },
  {
    tool: "pip",
    target: "pypi.example.com",
    file: ".config/pip/pip.conf",
    before: "[global]\nindex-url = https://pypi.example.com/simple/\n[install]\nno-deps = yes\n",
    after:
      "[global]\nkeyring-provider = subprocess\nindex-url = https://pypi.example.com/simple/\n[install]\nno-deps = yes\n",
  },
  {
    tool: "bazel",
    target: "cache.example.com:8443",
    file: ".bazelrc",
    before: "build --jobs=4\n",
    after:
      "build --jobs=4\ncommon --credential_helper=cache.example.com=HOME/bin/bazel-credential-latchkey\n",
  },
  {
    tool: "terraform",
    target: "app.example.com",
    file: ".terraformrc",
    before: 'plugin_cache_dir = "/tmp"\n# credentials_helper of another\n',
    after:
      'plugin_cache_dir = "/tmp"\n# credentials_helper of another\ncredentials_helper "latchkey" {}\n',
  },
  {
    tool: "aws",
    roleArn: role,
    file: ".aws/config",
    before: "[default]\nregion = eu-central-1\nrole_arn = x\n",
    after: `[default]\nregion = eu-central-1\nrole_arn = x\n\n[profile work]\ncredential_process = HOME/bin/latchkey credential aws --profile=work --role-arn=${role}\n`,
  },
  {
    tool: "aws",
    target: "dev",
    roleArn: role,
    file: ".aws/config",
    before: "[profile dev]\r\nregion = eu-central-1\r\n",
    after: `[profile dev]\r\ncredential_process = HOME/bin/latchkey credential aws --profile=work --role-arn=${role}\r\nregion = eu-central-1\r\n`,
  },
  {
    tool: "gcp",
    target: pool,
    file: ".config/gcloud/application_default_credentials.json",
    before: undefined,
    after: `${JSON.stringify(
      {
        type: "external_account",
        audience: pool,
        subject_token_type: "urn:ietf:params:oauth:token-type:id_token",
        token_url: "https://sts.googleapis.com/v1/token",
        credential_source: {
          executable: {
            command: "HOME/bin/latchkey credential gcp --profile=work",
            timeout_millis: 30_000,
          },
        },
      },
      undefined,
      2,
    )}\n`,
  },
];

test.each(cases)("$tool: what is written, and back again", async (each) => {
  const { tool, target, roleArn, file, before, after } = each;
  if (before !== undefined) write(file, before);
  const plan = await planOf(tool, { target, roleArn });
  const [change, ...others] = plan.files;
  if (change === undefined || others.length > 0) throw new Error("not one file");
  expect(change.path).toBe(join(home, file));
  expect(change.textBefore).toBe(before);
  expect(change.text.replaceAll(home, "HOME")).toBe(after);
  const back = takeBackAll(change.text, change.insertions);
  expect(back).toEqual({ text: before ?? "", changed: [], gone: 0 });
  // What is noted holds nothing of the file.
  expect(JSON.stringify(change.insertions)).not.toContain("secret");
  write(file, change.text);
  expect((await planOf(tool, { target, roleArn })).files).toEqual([]);
});

test.each<
  [
    tool: string,
    target: string | undefined,
    roleArn: string | undefined,
    file: string,
    text: string,
    said: RegExp,
  ]
>([
  ["cargo", "own", undefined, ".cargo/config.toml", `${cargoBefore}[`, /^Correct it/],
  ["cargo", "none", undefined, ".cargo/config.toml", cargoBefore, /^Put it there first/],
  ["cargo", undefined, undefined, ".cargo/config.toml", cargoBefore, /setup cargo REGISTRY/],
  [
    "cargo",
    "own",
    undefined,
    ".cargo/config.toml",
    'registries.own.index = "https://c.example"',
    /^Put these lines/,
  ],
  [
    "cargo",
    "own",
    undefined,
    ".cargo/config.toml",
    '[registries.own]\nindex = "https://c.example"\ncredential-provider = "cargo:token"',
    /^Take it out/,
  ],
  [
    "cargo",
    "own",
    undefined,
    ".cargo/config.toml",
    '[registries.own]\nindex = "http://c.example"',
    /^Put it there first/,
  ],
  [
    "pnpm",
    "n.example.com",
    undefined,
    ".npmrc",
    "//n.example.com/:tokenHelper = /bin/other",
    /^Take it out/,
  ],
  ["pnpm", "http://n.example.com", undefined, ".npmrc", "", /http: counts/],
  ["pnpm", "n.example.com/a=b", undefined, ".npmrc", "", /http: counts/],
  ["pnpm", "n.example.com\n//other", undefined, ".npmrc", "", /http: counts/],
  [
    "pip",
    "p.example.com",
    undefined,
    ".config/pip/pip.conf",
    "[global]\nkeyring-provider: import",
    /^Take it out/,
  ],
  [
    "terraform",
    "t.example.com",
    undefined,
    ".terraformrc",
    'credentials_helper "other" {\n}',
    /^Take it out/,
  ],
  ["aws", "work", role, ".aws/config", "[profile work]\nsso_session = x", /setup aws NAME/],
  ["aws", "work", undefined, ".aws/config", "", /--role-arn arn:/],
  ["aws", "work", `${role}" --x`, ".aws/config", "", /--role-arn arn:/],
  ["aws", "a]\n[b", role, ".aws/config", "", /^Accepted/],
  [
    "gcp",
    pool,
    undefined,
    ".config/gcloud/application_default_credentials.json",
    "{}",
    /^Name another file/,
  ],
  ["gcp", "//iam.example.com/a", undefined, ".config/gcloud/x", "", /setup gcp \/\/iam/],
])("%s: refused for %j %j in %s", async (tool, target, roleArn, file, text, said) => {
  write(file, text);
  await expect(planOf(tool, { target, roleArn })).rejects.toMatchObject({
    code: "invalid_option",
    remedy: [expect.stringMatching(said)],
  });
});

test.each<[tool: string, variable: string, path: string, target: string]>([
  ["docker", "DOCKER_CONFIG", "config.json", "r.example.com"],
  ["pnpm", "npm_config_userconfig", "", "r.example.com"],
  ["pip", "PIP_CONFIG_FILE", "", "r.example.com"],
  ["terraform", "TF_CLI_CONFIG_FILE", "", "r.example.com"],
  ["aws", "AWS_CONFIG_FILE", "", "name"],
  ["gcp", "GOOGLE_APPLICATION_CREDENTIALS", "", pool],
  ["gcp", "CLOUDSDK_CONFIG", "application_default_credentials.json", pool],
])("%s: %s names its file", async (tool, variable, path, target) => {
  const named = join(home, "named");
  const plan = await planOf(tool, { target, roleArn: role }, { [variable]: named });
  expect(plan.files[0]?.path).toBe(join(named, path));
});

test("a link of a tool leads to the file of the package, and a foreign keyring in PATH is told", async () => {
  const pip = await planOf("pip", { target: "p.example.com" }, { PATH: join(home, "bin") });
  const link = join(home, ".local/state/latchkey/keyring/keyring");
  expect(pip.links).toEqual([{ path: link, target: join(home, "dist", "keyring.cjs") }]);
  expect(pip.notes).toEqual([expect.stringContaining(dirname(link))]);
  mkdirSync(dirname(link), { recursive: true });
  writeFileSync(link, "", { mode: 0o755 });
  const first = await planOf("pip", { target: "p.example.com" }, { PATH: dirname(link) });
  expect(first.notes).toEqual([]);
  const terraform = await planOf("terraform", { target: "t.example.com" });
  expect(terraform.links).toEqual([
    {
      path: join(home, ".terraform.d/plugins/terraform-credentials-latchkey"),
      target: join(home, "dist", "terraform-credentials-latchkey.cjs"),
    },
  ]);
});

test("a file behind a link is changed where it is", async () => {
  write("dotfiles/npmrc", "a=b\n");
  symlinkSync(join(home, "dotfiles", "npmrc"), join(home, ".npmrc"));
  const plan = await planOf("pnpm", { target: "npm.example.com" });
  expect(plan.files[0]?.path).toBe(join(home, "dotfiles", "npmrc"));
  expect(readFileSync(join(home, ".npmrc"), "utf8")).toBe("a=b\n");
});
