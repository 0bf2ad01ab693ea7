// The gRPC mounts in a real server of @grpc/grpc-js: who gets through, in calls of every kind, and what others are told.
import { createHash, X509Certificate } from "node:crypto";
import {
  credentials,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ChannelCredentials,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  makeCertificateAuthority,
  type CertificateAuthority,
  type LeafCertificate,
} from "../../../test/support/certificates.ts";
import { echo, Echo } from "../../../test/support/echo-service.ts";
import { proofOf } from "../../../test/support/proof-of-possession.ts";
import { acceptedToken, mountedServer } from "../../../test/support/mounted-server.ts";
import {
  signingKey,
  startTokenIssuer,
  type TokenIssuer,
} from "../../../test/support/token-issuer.ts";
import { parseKeySet } from "../../keys/public-key.ts";
import { thumbprintOf } from "../../keys/thumbprint.ts";
import type { ResourceServer, ResourceServerOptions } from "../resource-server-types.ts";
import { grpcInterceptor, identityOf, type GrpcInterceptorOptions } from "./grpc-interceptor.ts";
import { grpcOidcService } from "./grpc-oidc-service.ts";

const audience = "https://data.example.com";
const key = signingKey("one");
const client = signingKey("client");
let issuer: TokenIssuer;
beforeAll(async () => {
  issuer = await startTokenIssuer(key.jwk);
});
afterAll(() => issuer.close());

function make(options: Partial<ResourceServerOptions> = {}): ResourceServer {
  return mountedServer(issuer, audience, options);
}

function token(claims: Readonly<Record<string, unknown>> = {}): string {
  return acceptedToken(key, issuer, audience, claims);
}

type Call = ServerDuplexStream<string, string>;
type Done = sendUnaryData<string>;

/** Each method answers with the subject of its caller. */
async function start(
  resourceServer: ResourceServer,
  options?: GrpcInterceptorOptions,
  tls?: ServerCredentials,
): Promise<{ readonly port: number; readonly calls: string[] }> {
  const calls: string[] = [];
  const server = new Server({ interceptors: [grpcInterceptor(resourceServer, options)] });
  const { service, implementation } = grpcOidcService(resourceServer);
  server.addService(service, implementation);
  const subject = (incoming: { readonly metadata: object }): string => {
    const who = identityOf(incoming).subject;
    calls.push(who);
    return who;
  };
  const handlers = {
    unary: (incoming: Call, done: Done) => {
      try {
        done(null, subject(incoming));
      } catch (error) {
        done({ code: status.INTERNAL, details: (error as Error).message });
      }
    },
    up: (incoming: Call, done: Done) => {
      const texts: string[] = [];
      incoming
        .on("data", (text: string) => texts.push(text))
        .on("end", () => done(null, `${subject(incoming)} ${texts.join("")}`));
    },
    down: (incoming: Call) => {
      incoming.write(subject(incoming));
      incoming.end();
    },
    both: (incoming: Call) => {
      const who = subject(incoming);
      incoming.on("data", (text: string) => incoming.write(`${who} ${text}`));
      incoming.on("end", () => incoming.end());
    },
  };
  server.addService(echo, handlers as unknown as UntypedServiceImplementation);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", tls ?? ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return { port, calls };
}

function metadata(fields: Readonly<Record<string, string>>): Metadata {
  const made = new Metadata();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

type Kind = keyof typeof echo;

/** One call of any kind: what came, or the error that ended it. */
function call(
  port: number,
  kind: Kind,
  fields: Readonly<Record<string, string>>,
  channel: ChannelCredentials = credentials.createInsecure(),
): Promise<string | ServiceError> {
  const connection = new Echo(`127.0.0.1:${String(port)}`, channel);
  onTestFinished(() => connection.close());
  const { path, requestSerialize: out, responseDeserialize: back } = echo[kind];
  const sent = metadata(fields);
  return new Promise((resolve) => {
    const done = (error: ServiceError | null, value?: string): void =>
      resolve(error ?? value ?? "");
    const gather = (stream: NodeJS.ReadableStream): void => {
      const texts: string[] = [];
      stream
        .on("data", (text: string) => texts.push(text))
        .on("error", (error) => resolve(error as ServiceError))
        .on("end", () => resolve(texts.join()));
    };
    if (kind === "unary") connection.makeUnaryRequest(path, out, back, "x", sent, done);
    if (kind === "down") gather(connection.makeServerStreamRequest(path, out, back, "x", sent));
    if (kind === "up") {
      const stream = connection.makeClientStreamRequest(path, out, back, sent, done);
      for (const text of ["a", "b"]) stream.write(text);
      stream.end();
    }
    if (kind === "both") {
      const stream = connection.makeBidiStreamRequest(path, out, back, sent);
      gather(stream);
      for (const text of ["a", "b"]) stream.write(text);
      stream.end();
    }
  });
}

const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const kinds = [
  ["unary", "alice"],
  ["up", "alice ab"],
  ["down", "alice"],
  ["both", "alice a,alice b"],
] as const;

describe.each(kinds)("a call of the kind %s", (kind, answer) => {
  test("goes through with an accepted token, and its handler knows whose it is", async () => {
    const { port } = await start(make());
    expect(await call(port, kind, bearer(token()))).toBe(answer);
  });

  test.each([
    ["no token", {}, status.UNAUTHENTICATED],
    ["a token that is over", bearer("over"), status.UNAUTHENTICATED],
    ["another scheme", { authorization: "Basic x" }, status.UNAUTHENTICATED],
    ["too narrow a token", bearer("narrow"), status.PERMISSION_DENIED],
  ])("[K21] is ended before its handler is called: %s", async (_name, fields, code) => {
    const { port, calls } = await start(make());
    const texts: Readonly<Record<string, string>> = {
      "Bearer over": `Bearer ${token({ exp: 1 })}`,
      "Bearer narrow": `Bearer ${token({ scope: "readwrite" })}`,
    };
    const { authorization } = fields as { readonly authorization?: string };
    const sent =
      authorization === undefined ? {} : { authorization: texts[authorization] ?? authorization };
    expect(await call(port, kind, sent)).toMatchObject({ code });
    expect(calls).toEqual([]);
  });
});

test("[K17] the trailers hold the challenge, and the details one word", async () => {
  const { port } = await start(make());
  const none = (await call(port, "unary", {})) as ServiceError;
  const place = `${audience}/.well-known/oauth-protected-resource`;
  expect([none.details, none.metadata.get("www-authenticate")]).toEqual([
    "invalid_token",
    [`Bearer scope="read", resource_metadata="${place}"`],
  ]);
  const narrow = (await call(port, "unary", bearer(token({ scope: "" })))) as ServiceError;
  expect(String(narrow.metadata.get("www-authenticate"))).toMatch(
    /^Bearer error="insufficient_scope", scope="read"/,
  );
});

test("a step-up is UNAUTHENTICATED, with the challenge of RFC 9470", async () => {
  const { port } = await start(make(), { acrValues: ["gold"] });
  const refused = (await call(port, "unary", bearer(token()))) as ServiceError;
  expect(refused.code).toBe(status.UNAUTHENTICATED);
  expect(String(refused.metadata.get("www-authenticate"))).toContain(
    'error="insufficient_user_authentication", acr_values="gold"',
  );
  const recent = token({ acr: "gold" });
  expect(await call(port, "unary", bearer(recent))).toBe("alice");
});

test("methods: what one demands in addition, and one that everybody may call", async () => {
  const { port } = await start(make(), {
    methods: { [echo.unary.path]: { requiredScopes: ["write"] }, [echo.down.path]: "public" },
  });
  expect(await call(port, "unary", bearer(token()))).toMatchObject({
    code: status.PERMISSION_DENIED,
  });
  expect(await call(port, "unary", bearer(token({ scope: "read write" })))).toBe("alice");
  expect(await call(port, "up", bearer(token()))).toBe("alice ab");
  // The handler is called, and has nobody to greet.
  expect(await call(port, "down", {})).toMatchObject({ code: status.UNKNOWN });
});

test("the provider's outage is UNAVAILABLE, with a time to wait", async () => {
  const down = await startTokenIssuer(key.jwk);
  onTestFinished(() => down.close());
  down.fail(404);
  const { port } = await start(make({ issuer: down.issuer, jwksUri: `${down.issuer}/keys` }));
  const refused = (await call(port, "unary", bearer(token({ iss: down.issuer })))) as ServiceError;
  expect([refused.code, refused.details]).toEqual([status.UNAVAILABLE, "provider_unavailable"]);
  expect(Number(refused.metadata.get("grpc-retry-pushback-ms")[0])).toBeGreaterThan(0);
});

test("[K21] a fault of the server's own is INTERNAL, tells nothing, and lets nobody through", async () => {
  const failing: ResourceServer = {
    ...make(),
    advertisement: { issuer: "x", clientId: undefined, audience: undefined, scopes: [] },
    verify: () => Promise.reject(new Error("a secret fault")),
    verifyRequest: () => Promise.reject(new Error("a secret fault")),
    assertDemands: () => undefined,
  };
  const { port, calls } = await start(failing);
  const refused = (await call(port, "unary", bearer(token()))) as ServiceError;
  expect(refused.code).toBe(status.INTERNAL);
  expect(refused.message).not.toContain("secret");
  expect(calls).toEqual([]);
});

test("[K30] [K32] DPoP: the proof is for a POST to the method's path, and counts once", async () => {
  const { port } = await start(make());
  const [parsed] = parseKeySet({ keys: [client.jwk] }) ?? [];
  const bound = token({ cnf: { jkt: parsed === undefined ? "" : thumbprintOf(parsed) } });
  const proof = proofOf(client, bound, { htm: "POST", htu: `${audience}${echo.unary.path}` });
  const fields = { authorization: `DPoP ${bound}`, dpop: proof };
  expect(await call(port, "unary", fields)).toBe("alice");
  expect(await call(port, "unary", fields)).toMatchObject({ code: status.UNAUTHENTICATED });
  const nonced = await start(make({ dpopNonces: true }));
  const told = (await call(nonced.port, "unary", {
    ...fields,
    dpop: proofOf(client, bound, { htm: "POST", htu: `${audience}${echo.unary.path}` }),
  })) as ServiceError;
  const [nonce] = told.metadata.get("dpop-nonce");
  const again = proofOf(client, bound, {
    htm: "POST",
    htu: `${audience}${echo.unary.path}`,
    nonce: String(nonce),
  });
  expect(await call(nonced.port, "unary", { ...fields, dpop: again })).toBe("alice");
});

describe("[K35] certificates of the connection", () => {
  let authority: CertificateAuthority;
  beforeAll(async () => {
    authority = await makeCertificateAuthority();
  });
  afterAll(() => authority.dispose());

  test("a token that is bound to one is accepted over that connection alone", async () => {
    const ca = Buffer.from(authority.caPem);
    const [theirs, others] = [await authority.clientLeaf(), await authority.clientLeaf()];
    const pair = {
      cert_chain: Buffer.from(authority.certificate),
      private_key: Buffer.from(authority.key),
    };
    const { port } = await start(make(), undefined, ServerCredentials.createSsl(ca, [pair], true));
    const { raw } = new X509Certificate(theirs.certificate);
    const thumbprint = createHash("sha256").update(raw).digest("base64url");
    const bound = bearer(token({ cnf: { "x5t#S256": thumbprint } }));
    const over = ({ key: own, certificate }: LeafCertificate) =>
      credentials.createSsl(ca, Buffer.from(own), Buffer.from(certificate));
    expect(await call(port, "unary", bound, over(theirs))).toBe("alice");
    expect(await call(port, "unary", bound, over(others))).toMatchObject({
      code: status.UNAUTHENTICATED,
    });
  });
});

test("who asks where to sign in is answered without a token, under both names", async () => {
  const { port } = await start(make({ scopes: ["read", "openid"] }));
  const connection = new Echo(`127.0.0.1:${String(port)}`, credentials.createInsecure());
  onTestFinished(() => connection.close());
  for (const method of Object.values(grpcOidcService(make()).service)) {
    const answer = await new Promise((resolve, reject) => {
      connection.makeUnaryRequest(
        method.path,
        method.requestSerialize,
        method.responseDeserialize as (bytes: Buffer) => object,
        {},
        (error, value) => (error === null ? resolve(value) : reject(error)),
      );
    });
    expect(answer).toMatchObject({
      issuer: issuer.issuer,
      configured: true,
      clientId: "cli",
      audience,
      scopes: "read openid",
    });
  }
});

test.each([
  ["an unknown name", { method: {} }],
  ["methods of another kind", { methods: [] }],
])("options: %s is invalid_option", (_name, options) => {
  expect(() => grpcInterceptor(make(), options as GrpcInterceptorOptions)).toThrow(
    expect.objectContaining({ code: "invalid_option" }),
  );
});
