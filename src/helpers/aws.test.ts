// AWS's credential process: what is asked for, where it goes, and what is made of the answer.

import { expect, test } from "vitest";
import { tool } from "./aws.ts";
import { answer, handed } from "./testing.ts";
import type { HelperAnswer, HelperPost } from "./tool.ts";

const role = "arn:aws:iam::123456789012:role/team/developer";
const element = (name: string, text: string): string => `<${name}>${text}</${name}>`;
const credentials = {
  AccessKeyId: "ASIA1",
  SecretAccessKey: "s/e+c=",
  SessionToken: "t/o+k==",
  Expiration: "2026-12-01T12:00:00Z",
};

function granted(changes: Readonly<Record<string, string>> = {}): HelperAnswer {
  const members = Object.entries({ ...credentials, ...changes }).map(([name, text]) =>
    element(name, text),
  );
  return { status: 200, text: element("Credentials", members.join("\n")) };
}

function refused(code: string): HelperAnswer {
  const text = element("Error", element("Code", code) + element("Message", "It is\u001b[31m over"));
  return { status: 400, text };
}

test("the ID token is changed for credentials of the role, at the region's endpoint", async () => {
  const posts: HelperPost[] = [];
  const { printed, requests } = await answer(tool, {
    flags: { "role-arn": role, region: "eu-west-1", "duration-seconds": "900" },
    service: (post) => {
      posts.push(post);
      return granted();
    },
  });
  expect(JSON.parse(printed)).toEqual({
    Version: 1,
    ...credentials,
    Expiration: "2026-12-01T12:00:00.000Z",
  });
  expect(posts.map(({ url, form }) => [url, Object.fromEntries(form)])).toEqual([
    [
      "https://sts.eu-west-1.amazonaws.com/",
      {
        Action: "AssumeRoleWithWebIdentity",
        Version: "2011-06-15",
        RoleArn: role,
        RoleSessionName: "latchkey",
        WebIdentityToken: "token-1",
        DurationSeconds: "900",
      },
    ],
  ]);
  expect([requests, tool.tokenKind]).toEqual([[{}], "id_token"]);
});

test.each([
  [{}, "https://sts.us-east-1.amazonaws.com/"],
  [{ AWS_REGION: "cn-north-1" }, "https://sts.cn-north-1.amazonaws.com.cn/"],
  [{ AWS_DEFAULT_REGION: "us-gov-west-1" }, "https://sts.us-gov-west-1.amazonaws.com/"],
  [{ AWS_ENDPOINT_URL_STS: "http://127.0.0.1:9000" }, "http://127.0.0.1:9000/"],
])("AWS's own variables say where: %j", async (environment, endpoint) => {
  const { printed } = await answer(tool, {
    environment: { AWS_ROLE_ARN: role, AWS_ROLE_SESSION_NAME: "a@b", ...environment },
    service: ({ url, form }) =>
      granted({
        SessionToken: `${form.get("RoleSessionName") === "a@b"}`,
        AccessKeyId: Buffer.from(url).toString("hex"),
      }),
  });
  const { AccessKeyId, SessionToken } = JSON.parse(printed) as typeof credentials;
  expect([Buffer.from(AccessKeyId, "hex").toString(), SessionToken]).toEqual([endpoint, "true"]);
});

test.each([
  [{}, {}, /No role is named/],
  [{ "role-arn": "developer" }, {}, /not the name of a role/],
  [{ "role-arn": role, region: "evil.example/" }, {}, /not a region/],
  [{ "role-arn": role, "role-session-name": "a b" }, {}, /2 to 64 letters/],
  [{ "role-arn": role, "duration-seconds": "1" }, {}, /from 900/],
  [{ "role-arn": role }, { AWS_ENDPOINT_URL_STS: "http://sts.example.com" }, /not an https: URL/],
  [{ "role-arn": role }, { AWS_ENDPOINT_URL_STS: "https://a:b@example.com" }, /not an https: URL/],
])("without a token being asked for: %j %j", async (flags, environment, message) => {
  let asked = 0;
  const token = () => {
    asked += 1;
    return handed;
  };
  await expect(answer(tool, { flags, environment, token })).rejects.toThrow(message);
  expect(asked).toBe(0);
});

test.each(["ExpiredTokenException", "InvalidIdentityToken"])(
  "a token that is refused is renewed, once: %s",
  async (code) => {
    const sent: (string | null)[] = [];
    const { printed, requests } = await answer(tool, {
      flags: { "role-arn": role },
      token: ({ refused: before }) => (before === undefined ? handed : { ...handed, token: "two" }),
      service: ({ form }) => {
        sent.push(form.get("WebIdentityToken"));
        return sent.length === 1 ? refused(code) : granted();
      },
    });
    expect(sent).toEqual(["token-1", "two"]);
    expect(requests).toEqual([{}, { refused: { token: "token-1" } }]);
    expect(JSON.parse(printed)).toHaveProperty("AccessKeyId", "ASIA1");
  },
);

test("where there is no other token, none is sent again", async () => {
  let count = 0;
  const service = () => {
    count += 1;
    return refused("ExpiredTokenException");
  };
  await expect(answer(tool, { flags: { "role-arn": role }, service })).rejects.toThrow(
    /status 400/,
  );
  expect(count).toBe(1);
});

test.each([
  ["ExpiredTokenException", 2],
  ["AccessDenied", 1],
])("a refusal is told in AWS's words: %s", async (code, times) => {
  let count = 0;
  const played = {
    flags: { "role-arn": role },
    token: ({ refused: before }: { refused?: unknown }) =>
      before === undefined ? handed : { ...handed, token: "two" },
    service: () => {
      count += 1;
      return refused(code);
    },
  };
  await expect(answer(tool, played)).rejects.toThrow(
    new RegExp(`^[ -~]*status 400\\)\\. It said: ${code}: It is[ -~]* over\\.[ -~]*\\]$`),
  );
  expect(count).toBe(times);
});

test.each([
  { status: 200, text: "<html>" },
  granted({ SessionToken: 'a"' }),
  granted({ Expiration: "soon" }),
])("what is not an answer of the service is refused: %j", async (given) => {
  const played = { flags: { "role-arn": role }, service: () => given };
  await expect(answer(tool, played)).rejects.toThrow(/has no credentials/);
});
