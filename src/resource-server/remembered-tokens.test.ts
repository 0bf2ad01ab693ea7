// How long a token that was verified once is believed: no longer than it would be if it were verified again.
import { beforeEach, expect, test } from "vitest";
import { claims, now, published, signed, token } from "../../test/support/access-token-forge.ts";
import { outcomeOf, playVerifier, type PlayedVerifier } from "../../test/support/played-issuer.ts";

const tolerance = 60;
const text = token("ES256", { exp: now + 600 });
let played: PlayedVerifier;
beforeEach(async () => {
  played = playVerifier(published, { clockToleranceSeconds: tolerance });
  for (let sight = 0; sight < 2; sight += 1) await outcomeOf(played, text);
});

test("until its end and the tolerance, and not a second longer", async () => {
  await played.clock.advance((600 + tolerance - 1) * 1000);
  expect(played.verifier.remembered(text)?.subject).toBe("alice");
  await played.clock.advance(1000);
  expect(played.verifier.remembered(text)).toBeUndefined();
  expect(await outcomeOf(played, text)).toBe("refused: time");
});

test("no longer than its key is in the issuer's set", async () => {
  played.publish(published.filter(({ kid }) => kid !== "ES256"));
  expect(played.verifier.remembered(text)?.subject).toBe("alice");
  // A token of an unknown key has the set fetched again.
  await outcomeOf(played, token("EdDSA", {}, { kid: "other" }));
  expect(played.verifier.remembered(text)).toBeUndefined();
  expect(await outcomeOf(played, text)).toBe("refused: jwks_key_not_found");
});

test("a header that begins as one that is known is another one", async () => {
  // As many octets as make whole groups of four characters, so that more can follow.
  const known = '{"alg":"ES256","kid":"ES256","typ":"at+jwt"}'.padEnd(45);
  expect(await outcomeOf(played, signed("ES256", known, claims()))).toBe("alice");
  expect(await outcomeOf(played, signed("ES256", `${known}x`, claims()))).toBe(
    "refused: malformed",
  );
});
