// AWS: a `credential_process` of its tools and libraries. The ID token is changed for credentials of a role at the
// Security Token Service, by a request that needs no signature.
// See https://docs.aws.amazon.com/cli/latest/topic/config-vars.html and
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html

import { isLoopbackHost } from "../core/hosts.ts";
import { sanitizeProviderText } from "../core/errors.ts";
import { HelperFailure, patientTool, type HelperAnswer, type Tool, type ToolCall } from "./tool.ts";

/** Which role is taken on, and where. */
export interface RoleRequest {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly endpoint: string;
  readonly durationSeconds: number | undefined;
}

/** Credentials of a role, as `credential_process` prints them. */
interface RoleCredentials {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
  readonly Expiration: string;
}

const apiVersion = "2011-06-15";

function refuse(what: string): HelperFailure {
  return new HelperFailure(`${what} [invalid_option]`, 2);
}

/** A region leads to its own endpoint; those of China have a domain of their own. */
function endpointOf(region: string): string {
  if (!/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region)) throw refuse("--region is not a region of AWS.");
  const domain = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `https://sts.${region}.${domain}/`;
}

/** An endpoint that gets the ID token: TLS, or this machine. */
function checkedEndpoint(text: string): string {
  const url = URL.parse(text);
  const isPrivate =
    url?.protocol === "https:" || (url?.protocol === "http:" && isLoopbackHost(url.hostname));
  if (url === null || !isPrivate || url.username !== "" || url.password !== "") {
    throw refuse("AWS_ENDPOINT_URL_STS is not an https: URL.");
  }
  return url.href;
}

/**
 * What flags say, else AWS's own variables.
 * @throws {HelperFailure} for what is missing or is not what its name says.
 */
export function roleRequestOf({ flags, environment }: ToolCall): RoleRequest {
  const named = (flag: string, ...variables: readonly string[]): string | undefined => {
    const given = flags[flag];
    if (typeof given === "string") return given;
    return variables.map((name) => environment[name]).find(Boolean);
  };
  const roleArn = named("role-arn", "AWS_ROLE_ARN");
  if (roleArn === undefined) throw refuse("No role is named. Add --role-arn ARN.");
  if (!/^arn:[\w-]+:iam::\d{12}:role\/[\w+=,.@/-]{1,512}$/.test(roleArn)) {
    throw refuse("--role-arn is not the name of a role: arn:aws:iam::123456789012:role/NAME.");
  }
  const sessionName = named("role-session-name", "AWS_ROLE_SESSION_NAME") ?? "latchkey";
  if (!/^[\w+=,.@-]{2,64}$/.test(sessionName)) {
    throw refuse("--role-session-name is 2 to 64 letters, digits or characters of +=,.@-_.");
  }
  const seconds = flags["duration-seconds"];
  const durationSeconds = typeof seconds === "string" ? Number(seconds) : undefined;
  if (durationSeconds !== undefined && (durationSeconds < 900 || durationSeconds > 43_200)) {
    throw refuse("--duration-seconds is from 900 to 43200.");
  }
  const own = environment["AWS_ENDPOINT_URL_STS"];
  const region = named("region", "AWS_REGION", "AWS_DEFAULT_REGION") ?? "us-east-1";
  const endpoint = own ? checkedEndpoint(own) : endpointOf(region);
  return { roleArn, sessionName, endpoint, durationSeconds };
}

/** The text of the first element of a name; the answers are short documents of known elements. */
function elementIn(text: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]{1,8192})</${name}>`).exec(text)?.[1];
}

/** A text that a tool takes to its last character: nothing in it can be another line or another member. */
function wordIn(text: string, name: string): string | undefined {
  const value = elementIn(text, name);
  return value !== undefined && /^[\w+/=.-]+$/.test(value) ? value : undefined;
}

function endIn(text: string): string | undefined {
  const milliseconds = Date.parse(elementIn(text, "Expiration") ?? "");
  return Number.isFinite(milliseconds) ? new Date(milliseconds).toISOString() : undefined;
}

/** The service's word for a token that is over, or that it does not take: another one may fare better. */
const refusals: ReadonlySet<unknown> = new Set(["ExpiredTokenException", "InvalidIdentityToken"]);

function isRefusal({ status, text }: HelperAnswer): boolean {
  return status === 400 && refusals.has(elementIn(text, "Code"));
}

/** @throws {HelperFailure} for a refusal, in the service's own words, and for what is not an answer of it. */
export function credentialsIn({ status, text }: HelperAnswer): RoleCredentials {
  if (status !== 200) {
    const parts = [elementIn(text, "Code"), elementIn(text, "Message")];
    const said = parts.filter((each) => each !== undefined).join(": ");
    const words = said === "" ? "" : ` It said: ${sanitizeProviderText(said, 400)}.`;
    throw new HelperFailure(
      `AWS gave no credentials for the role (status ${String(status)}).${words} Does the role's trust policy name this issuer, audience and subject? [token_request_failed]`,
      1,
    );
  }
  const AccessKeyId = wordIn(text, "AccessKeyId");
  const SecretAccessKey = wordIn(text, "SecretAccessKey");
  const SessionToken = wordIn(text, "SessionToken");
  const Expiration = endIn(text);
  if (!AccessKeyId || !SecretAccessKey || !SessionToken || !Expiration) {
    throw new HelperFailure(
      "What answered is not AWS's Security Token Service: its answer has no credentials. [token_request_failed]",
      1,
    );
  }
  return { AccessKeyId, SecretAccessKey, SessionToken, Expiration };
}

function assumeRole(call: ToolCall, request: RoleRequest, token: string): Promise<HelperAnswer> {
  const { roleArn, sessionName, endpoint, durationSeconds } = request;
  const form = new URLSearchParams({
    Action: "AssumeRoleWithWebIdentity",
    Version: apiVersion,
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    WebIdentityToken: token,
  });
  if (durationSeconds !== undefined) form.set("DurationSeconds", String(durationSeconds));
  return call.post({ url: endpoint, step: "role request", form });
}

async function run(call: ToolCall): Promise<number> {
  const request = roleRequestOf(call);
  const { token = "" } = (await call.token()) ?? {};
  let answer = await assumeRole(call, request, token);
  if (isRefusal(answer)) {
    const { token: other = token } = (await call.token({ refused: { token } })) ?? {};
    if (other !== token) answer = await assumeRole(call, request, other);
  }
  call.print(`${JSON.stringify({ Version: 1, ...credentialsIn(answer) })}\n`);
  return 0;
}

/** Nobody sees what it says, and the tools keep what they got until shortly before its end. */
export const tool: Tool = {
  ...patientTool,
  tokenKind: "id_token",
  mayAsk: false,
  deadlineSeconds: 60,
  hidesErrors: true,
  run,
};
