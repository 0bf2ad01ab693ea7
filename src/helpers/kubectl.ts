// kubectl and everything on client-go: exec plug-ins of `client.authentication.k8s.io`.
// See https://kubernetes.io/docs/reference/config-api/client-authentication.v1/

import { HelperFailure, patientTool, type Tool, type ToolCall } from "./tool.ts";

const group = "client.authentication.k8s.io";
const versions = [`${group}/v1`, `${group}/v1beta1`];
const marginMilliseconds = 10_000;

/** The version in which an answer is expected; one that was run by hand gets the newest. */
function versionOf(text: string | undefined): string {
  if (!text) return `${group}/v1`;
  let version: unknown;
  try {
    version = (JSON.parse(text) as { apiVersion?: unknown } | null)?.apiVersion;
  } catch {
    version = undefined;
  }
  const known = versions.find((each) => each === version);
  if (known !== undefined) return known;
  throw new HelperFailure(
    `KUBERNETES_EXEC_INFO asks for no version that is known here. Known: ${versions.join(", ")}; set apiVersion in the kubeconfig. [invalid_option]`,
    2,
  );
}

/** client-go compares without a margin, so that a request on its way would carry a token that has ended. */
function endFor(expiresAt: Date | undefined, now: number): string | undefined {
  if (expiresAt === undefined) return undefined;
  const left = expiresAt.getTime() - now;
  const end = expiresAt.getTime() - Math.min(marginMilliseconds, Math.max(0, left / 4));
  return new Date(end).toISOString().replace(/\.\d+/, "");
}

async function run(call: ToolCall): Promise<number> {
  const info = call.environment["KUBERNETES_EXEC_INFO"];
  const apiVersion = versionOf(info);
  const handed = await call.token({ about: info });
  const status = {
    token: handed?.token,
    expirationTimestamp: endFor(handed?.expiresAt, call.now()),
  };
  call.print(`${JSON.stringify({ apiVersion, kind: "ExecCredential", status })}\n`);
  return 0;
}

/** After a 401 client-go runs the plug-in again with the same words; it never says that the token was refused. */
export const tool: Tool = { ...patientTool, tokenKind: "id_token", repeatMeansRefused: true, run };
