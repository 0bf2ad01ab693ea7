// Whether a request to the test provider comes from its client. Changes when the client may prove itself in another way.

import { json, type ServerAnswer, type ServerRequest } from "../http-server.ts";

/** The client that is registered. */
export interface TestClient {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
}

/** Both are form-encoded before Base64 (RFC 6749 section 2.3.1). */
function decoded(text: string): string {
  return new URLSearchParams(`x=${text}`).get("x") ?? "";
}

function basicCredentials(header: string | undefined): readonly [string, string] | undefined {
  const encoded = /^basic (.+)$/i.exec(header ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const pair = Buffer.from(encoded, "base64").toString();
  const colon = pair.indexOf(":");
  return [decoded(pair.slice(0, colon)), decoded(pair.slice(colon + 1))];
}

/** The answer to a request that is not the client's; undefined where it is. */
export function refusedClient(
  { headers, form }: ServerRequest,
  client: TestClient,
): ServerAnswer | undefined {
  const basic = basicCredentials(headers["authorization"]);
  const [clientId, clientSecret] = basic ?? [form.get("client_id"), form.get("client_secret")];
  if (
    clientId === client.clientId &&
    (client.clientSecret === undefined || clientSecret === client.clientSecret)
  ) {
    return undefined;
  }
  const answer = json(401, { error: "invalid_client" });
  return basic === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, "www-authenticate": 'Basic realm="test"' } };
}
