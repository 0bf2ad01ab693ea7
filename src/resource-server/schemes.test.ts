// What a request is answered whose scheme of authentication is not one for access tokens.

import { expect, test } from "vitest";
import { createResourceServer, type Refusal, type ResourceServerOptions } from "../server.ts";

const known = { issuer: "https://id.example.com", audience: "https://api.example.com" };

/** What a request is refused with: the reason for the log, the challenge for the client. */
async function refused(
  authorization: readonly string[],
  options: Partial<ResourceServerOptions> = {},
): Promise<readonly (string | undefined)[]> {
  const server = createResourceServer({ ...known, ...options });
  const caught: unknown = await server
    .verifyRequest({ authorization, url: "/" })
    .catch((error: unknown) => error);
  const { reason, challenge } = caught as Refusal;
  return [reason, challenge];
}

test("a scheme that is not supported gets no error code, as no token gets none (RFC 6750 section 3.1)", async () => {
  const [, without] = await refused([]);
  expect(without).toMatch(/^Bearer resource_metadata="/);
  expect(await refused(["Basic YTpi"])).toEqual(["scheme", without]);
  expect(await refused(["DPoP abc"], { dpop: "refused" })).toEqual(["scheme", without]);
});

test("a bearer token where only tokens with a proof count is a token that is not accepted", async () => {
  const [reason, challenge] = await refused(["Bearer abc"], { dpop: "required" });
  expect(reason).toBe("scheme");
  expect(challenge).toMatch(/^DPoP error="invalid_token"/);
});

test.each([" Bearer abc", "Be\tarer abc", "Bearer abc, Bearer def", "Bearer ", "Bearer"])(
  "%j is no scheme and a token",
  async (header) => {
    expect((await refused([header]))[0]).toBe("malformed");
  },
);
