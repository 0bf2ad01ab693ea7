// The clouds' own libraries with one sign-in: each takes the ID token to a stand-in of its cloud's token service.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { npmPackages } from "../support/installed-once.ts";
import { linesOfPage, startToolDesk, type Ran, type ToolDesk } from "../support/tool-desk.ts";
import { startTokenService, type ToolServer } from "../support/tool-servers.ts";

const versions = { "google-auth-library": "10.9.0", "@aws-sdk/credential-providers": "3.1175.0" };
const program = fileURLToPath(new URL("../support/cloud-client.mjs", import.meta.url));

let here: ToolDesk;
let modules: string;
let latchkey: string;
beforeAll(async () => {
  const packages = Object.entries(versions).map(([name, version]) => `${name}@${version}`);
  modules = await npmPackages(`clouds-${Object.values(versions).join("-")}`, packages);
  here = await startToolDesk();
  here.configure();
  latchkey = join(here.home, "bin", "latchkey");
}, 600_000);
afterAll(() => here?.close());

const client = (cloud: string, service: ToolServer): string[] => [
  process.execPath,
  program,
  modules,
  cloud,
  `http://${service.host}`,
];

/** The SDK speaks of the Nodes that it will not take any more. */
const quiet = { NODE_NO_WARNINGS: "1" };

test("google-auth-library runs the helper, and says why where nobody is signed in", async () => {
  const service = await here.started(startTokenService(here.identityProvider));
  const [node = "", ...parameters] = client("google", service);
  const ask = async (profile: string): Promise<Ran> => {
    const environment = {
      GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES: "1",
      GOOGLE_APPLICATION_CREDENTIALS: join(here.home, `${profile}.json`),
    };
    const pool =
      "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q";
    const setUp = ["setup", "gcp", pool, "--profile", profile, "--yes"];
    expect((await here.run(latchkey, setUp, environment)).code).toBe(0);
    const answer = await here.run(node, parameters, environment);
    expect((await here.run(latchkey, ["setup", "gcp", "--undo", "--yes"], environment)).code).toBe(
      0,
    );
    expect(existsSync(environment.GOOGLE_APPLICATION_CREDENTIALS)).toBe(false);
    return answer;
  };
  expect(await ask("work")).toEqual({ code: 0, output: "google-token\n" });
  const refused = await ask("kube");
  expect([refused.code, refused.output]).toEqual([
    1,
    expect.stringContaining("latchkey login") as string,
  ]);
  expect([...service.tokens]).toHaveLength(1);
});

test("the AWS SDK reads the file of a token", async () => {
  const service = await here.started(startTokenService(here.identityProvider));
  const [before = ""] = linesOfPage("AWS_WEB_IDENTITY_TOKEN_FILE").trim().split(" -- ");
  const line = `${before} -- ${client("aws", service).join(" ")}`;
  expect(await here.run("/bin/sh", ["-c", line], quiet)).toEqual({
    code: 0,
    output: "AKIDTESTS\n",
  });
  expect([...service.tokens]).toHaveLength(1);
});

test("the AWS SDK runs the helper for credentials of a role", async () => {
  const service = await here.started(startTokenService(here.identityProvider));
  const file = join(here.home, "aws-config");
  const [node = "", ...parameters] = client("aws", service);
  const environment = {
    ...quiet,
    AWS_CONFIG_FILE: file,
    AWS_ENDPOINT_URL_STS: `http://${service.host}`,
  };
  const role = "arn:aws:iam::123456789012:role/developer";
  const setUp = ["setup", "aws", "tests", "--profile", "work", "--role-arn", role, "--yes"];
  expect((await here.run(latchkey, setUp, environment)).code).toBe(0);
  // As the page has it.
  const [, line = ""] = linesOfPage("credential_process").split("\n");
  expect(readFileSync(file, "utf8").trim().split("\n")).toEqual([
    "[profile tests]",
    line
      .replace("latchkey", latchkey)
      .replace("--profile cloud --role-arn ", "--profile=work --role-arn="),
  ]);
  expect(await here.run(node, parameters, { ...environment, AWS_REGION: "eu-west-1" })).toEqual({
    code: 0,
    output: "AKIDTESTS\n",
  });
  expect([...service.tokens]).toHaveLength(1);
});
