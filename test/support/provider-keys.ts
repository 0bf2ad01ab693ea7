// Changes when the test provider signs with other kinds of keys.
import { generateKeyPair, randomUUID } from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

let keys: Promise<readonly object[]> | undefined;

async function generateSigningKeys(): Promise<readonly object[]> {
  const [rsa, ellipticCurve] = await Promise.all([
    generate("rsa", { modulusLength: 2048 }),
    generate("ec", { namedCurve: "P-256" }),
  ]);
  return [
    { ...rsa.privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" },
    {
      ...ellipticCurve.privateKey.export({ format: "jwk" }),
      kid: randomUUID(),
      use: "sig",
      alg: "ES256",
    },
  ];
}

/** Private signing keys (RS256, then ES256) as JWK, made once in each process because an RSA key takes a while. */
export function signingKeys(): Promise<readonly object[]> {
  keys ??= generateSigningKeys();
  return keys;
}
