// The modes `userinfo` and `openshift_userapi`: whoever the provider says that a token stands for.
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startAnsweringIssuer, type AnsweringIssuer } from "../../test/support/answering-issuer.ts";
import {
  activeAnswer,
  askingServer,
  outageOf,
  reasonOf,
  refusalOf,
  signedAccessToken,
} from "../../test/support/asking-server.ts";
import { signingKey } from "../../test/support/token-issuer.ts";
import { makeCertificateAuthority } from "../../test/support/certificates.ts";
import { json } from "../testing/http-server.ts";
import type { ResourceServer, ResourceServerOptions } from "./resource-server-types.ts";

const key = signingKey("one");

let issuer: AnsweringIssuer;
let other: AnsweringIssuer;
beforeAll(async () => {
  issuer = await startAnsweringIssuer(() => json(200, active()));
  other = await startAnsweringIssuer(() => json(200, { active: false }));
});
afterAll(async () => {
  await issuer.close();
  await other.close();
});
beforeEach(() => {
  issuer.answer(() => json(200, active()));
  issuer.describe({});
  issuer.asked.length = 0;
  other.asked.length = 0;
});

type Members = Readonly<Record<string, unknown>>;
function active(more: Members = {}): Members {
  return activeAnswer(issuer, more);
}

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return askingServer(issuer, options);
}
const open = { allowUnboundAudience: true } as const;
const userinfo = { ...open, validationMode: "userinfo" } as const;
function openShift(): ResourceServer {
  return make({
    ...open,
    validationMode: "openshift_userapi",
    openshiftUserApiUri: issuer.issuer,
    groupsClaim: "groups",
    groupLabels: { admins: "admin" },
  });
}

function jwt(more: Members = {}): string {
  return signedAccessToken(key, issuer, more);
}

describe("userinfo", () => {
  test("nothing says that an opaque token is bound to a key, so no proof of one is accepted", async () => {
    const refusal = await refusalOf(make(userinfo).verify("opaque", { scheme: "DPoP" }));
    expect([refusal.status, refusal.reason]).toEqual([401, "not_bound"]);
  });

  test("[K13] it is no mode for a server that has an audience, unless that is asked for", () => {
    expect(() => make({ validationMode: "userinfo" })).toThrow(/allowUnboundAudience/);
    expect(() => make({ validationMode: ["jwt", "userinfo"] })).toThrow(/allowUnboundAudience/);
  });

  test("whoever the token stands for; the token goes into the header alone", async () => {
    issuer.answer(() => json(200, { sub: "alice", email: "a@example.com", email_verified: true }));
    const at = make({ ...userinfo, usernameClaim: "email" });
    expect(await at.verify("opaque")).toMatchObject({
      subject: "alice",
      username: "a@example.com",
    });
    const [question] = issuer.asked;
    expect([question?.method, question?.path]).toEqual(["GET", "/userinfo"]);
    expect(question?.headers["authorization"]).toBe("Bearer opaque");
    expect([...(question?.query ?? [])]).toEqual([]);
  });

  test.each([
    ["401", () => json(401, {}), "inactive"],
    ["403", () => json(403, { error: "insufficient_scope" }), "inactive"],
    [
      "400 with the word of RFC 6750",
      () => ({ status: 400, headers: { "www-authenticate": 'Bearer error="invalid_token"' } }),
      "inactive",
    ],
    ["nobody in it", () => json(200, { name: "Alice" }), "subject"],
    ["somebody who is no text", () => json(200, { sub: 7 }), "subject"],
  ] as const)("[K20] refused: %s", async (_name, answer, reason) => {
    issuer.answer(answer);
    expect(await reasonOf(make(userinfo))).toBe(reason);
  });

  test("[K12] [K10] outages and redirects are no yes", async () => {
    issuer.answer(() => json(502, { sub: "alice" }));
    await outageOf(make(userinfo));
    issuer.answer(() => ({ status: 302, headers: { location: `${other.issuer}/userinfo` } }));
    await outageOf(make(userinfo));
    expect(other.asked).toEqual([]);
  });
});

describe("openshift_userapi", () => {
  const user = (name: unknown, more: Members = {}): Members => ({
    kind: "User",
    apiVersion: "user.openshift.io/v1",
    metadata: { name, uid: "4f1d" },
    groups: ["admins", "system:authenticated"],
    ...more,
  });

  test("[K13] [K14] it needs the address of the API, and the word that any token of the cluster will do", () => {
    const mode = { validationMode: "openshift_userapi" } as const;
    expect(() => make({ ...mode, ...open })).toThrow(/openshiftUserApiUri/);
    expect(() => make({ ...mode, openshiftUserApiUri: issuer.issuer })).toThrow(
      /allowUnboundAudience/,
    );
  });

  test("the person by name, with groups and labels", async () => {
    issuer.answer(() => json(200, user("developer")));
    expect(await openShift().verify("sha256~abc")).toMatchObject({
      subject: "developer",
      username: "developer",
      groups: ["admins", "system:authenticated"],
      labels: ["admin"],
      scopes: [],
    });
    const [question] = issuer.asked;
    expect(question?.path).toBe("/apis/user.openshift.io/v1/users/~");
    expect(question?.headers["authorization"]).toBe("Bearer sha256~abc");
  });

  test("the name may be asked for by its path, and a token of a service account is one of the cluster's", async () => {
    issuer.answer(() => json(200, user("system:serviceaccount:a:b")));
    const at = make({
      ...open,
      validationMode: "openshift_userapi",
      openshiftUserApiUri: `${issuer.issuer}/apis/user.openshift.io/v1/users/~`,
      usernameClaim: "metadata.name",
    });
    const token = jwt({ iss: "https://kubernetes.default.svc" });
    expect((await at.verify(token)).username).toBe("system:serviceaccount:a:b");
  });

  test.each([
    ["401", () => json(401, { kind: "Status" })],
    ["403", () => json(403, { kind: "Status" })],
    ["404", () => json(404, { kind: "Status" })],
    ["another kind", () => json(200, user("developer", { kind: "Group" }))],
    ["no name", () => json(200, user(undefined))],
    ["an empty name", () => json(200, user(" "))],
    ["nobody", () => json(200, user("system:anonymous"))],
    ["the group of nobody", () => json(200, user("x", { groups: ["system:unauthenticated"] }))],
  ] as const)("[K14] refused: %s", async (_name, answer) => {
    issuer.answer(answer);
    expect(await reasonOf(openShift(), "sha256~abc")).toBe("inactive");
  });

  test("[K14] 5xx is an outage, and the token stands in no error", async () => {
    issuer.answer(() => json(503, user("developer")));
    const { message, cause } = await outageOf(openShift(), "sha256~abc");
    expect(`${message} ${String(cause)}`).not.toContain("sha256~abc");
  });

  test("[K14] a cluster whose certificate is not trusted gets no token; with its CA it does", async () => {
    const authority = await makeCertificateAuthority();
    const seen: string[] = [];
    const cluster = createServer(
      { cert: authority.certificate, key: authority.key },
      ({ url }, response) => {
        seen.push(url ?? "");
        response.end(JSON.stringify(user("developer")));
      },
    ).listen(0, "127.0.0.1");
    await once(cluster, "listening");
    const { port } = cluster.address() as AddressInfo;
    const options = {
      ...open,
      validationMode: "openshift_userapi",
      openshiftUserApiUri: `https://127.0.0.1:${String(port)}`,
    } as const;
    expect((await outageOf(make(options))).cause).toMatchObject({ code: "tls" });
    expect(seen).toEqual([]);
    const at = make({ ...options, caCertPath: authority.caPath });
    expect((await at.verify("sha256~abc")).subject).toBe("developer");
    cluster.close();
    await authority.dispose();
  });
});
