// The clouds' own libraries, as a program of their user: `cloud-client.mjs NODE_MODULES google|aws ENDPOINT`.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [modules = "", cloud, endpoint = ""] = process.argv.slice(2);
const require = createRequire(join(modules, "loader.js"));

async function google() {
  const { ExternalAccountClient } = require("google-auth-library");
  const account = JSON.parse(
    readFileSync(process.env["GOOGLE_APPLICATION_CREDENTIALS"] ?? "", "utf8"),
  );
  const client = ExternalAccountClient.fromJSON({ ...account, token_url: `${endpoint}/v1/token` });
  client.scopes = ["https://www.googleapis.com/auth/cloud-platform"];
  const { token } = await client.getAccessToken();
  return token;
}

async function aws() {
  const { fromTokenFile, fromProcess } = require("@aws-sdk/credential-providers");
  const source =
    process.env["AWS_WEB_IDENTITY_TOKEN_FILE"] === undefined
      ? fromProcess({ profile: "tests" })
      : fromTokenFile({
          roleArn: "arn:aws:iam::123456789012:role/tests",
          clientConfig: { endpoint, region: "eu-west-1" },
        });
  const { accessKeyId } = await source();
  return accessKeyId;
}

try {
  process.stdout.write(`${await (cloud === "google" ? google() : aws())}\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
