// What is refused, by the person, the provider or us, and the words for it. Changes when something else is refused.
import { expect } from "vitest";
import { expectEnded, unlessPossible } from "./check.ts";
import type { Check } from "./check.ts";
import { recordsIn } from "../../../src/session/record-repository.ts";

export const refusalChecks: readonly Check[] = [
  {
    name: "denial by the person: access_denied",
    impossible: ({ denial }) => unlessPossible(denial),
    run: async (desk) => {
      // Some remember that the person agreed before, and ask no more.
      const changes = { prompt: "consent" };
      const auth = desk.credential(desk.provider.clients.public, changes, { deny: true });
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.providerError]).toEqual(["access_denied", "access_denied"]);
      // What may be there counts the prompt: a refusal within two seconds was no person's.
      const records = await recordsIn(desk.store);
      expect(records.filter(({ accessToken }) => accessToken !== null)).toEqual([]);
    },
  },
  {
    name: "denial by the person, device flow: access_denied",
    impossible: ({ deviceDenial }) => unlessPossible(deviceDenial),
    run: async (desk) => {
      const { public: client } = desk.provider.clients;
      const auth = desk.credential(client, { flow: "device" }, { deny: true });
      expect((await desk.failure(auth.getToken())).code).toBe("access_denied");
    },
  },
  {
    name: "unknown client: a page of the provider, aborted here",
    run: async (desk) => {
      const auth = desk.credential({ clientId: "nobody-registered-this" });
      expect((await desk.failure(auth.getToken())).code).toBe("aborted");
      expect(desk.lastVisit?.isBackAtClient).toBe(false);
    },
  },
  {
    name: "unknown client, device flow: the error says so",
    run: async (desk) => {
      const auth = desk.credential({ clientId: "nobody-registered-this" }, { flow: "device" });
      const error = await desk.failure(auth.getToken());
      expect(error.code).toBe("token_request_failed");
      expect(["invalid_client", "unauthorized_client"]).toContain(error.reason);
      expect(error.message).toContain("clientId");
      return `yes: ${error.reason ?? ""}`;
    },
  },
  {
    name: "wrong secret: the error says so",
    run: async (desk) => {
      const { clientId } = desk.provider.clients.confidential;
      const clientSecret = "canary-wrong-secret";
      const auth = desk.credential({ clientId, clientSecret });
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual([
        "token_request_failed",
        desk.facts.wrongSecretReason,
      ]);
      expect(error.message).toContain("clientSecret");
      expect(error.message).not.toContain("canary");
      return `yes: ${error.reason ?? ""}`;
    },
  },
  {
    name: "wrong secret at a refresh: an error, and the sign-in is kept",
    run: async (desk) => {
      const { confidential: client } = desk.provider.clients;
      await desk.credential(client).getToken();
      const before = await desk.record();
      const auth = desk.credential({ ...client, clientSecret: "canary-wrong-secret" });
      const error = await desk.failure(auth.getToken({ forceRefresh: true, interactive: false }));
      if (desk.facts.wrongSecretAtRefresh === "untold") {
        expect([error.code, error.reason]).toEqual(["login_required", "refresh_refused"]);
        await desk.alter(before);
        await expectEnded(desk, client);
        return "no: 400 with nothing, as for an unknown token, and the token is dead for the right secret too";
      }
      expect([error.code, error.reason]).toEqual([
        "token_request_failed",
        desk.facts.wrongSecretReason,
      ]);
      expect(error.message).toContain("clientSecret");
      expect((await desk.record()).refreshToken).toBe(before.refreshToken);
      expect((await desk.credential(client).getToken({ forceRefresh: true })).source).toBe(
        "refresh",
      );
      return "yes";
    },
  },
  {
    name: "another issuer in the redirect: refused, no code is used [A03]",
    run: async (desk) => {
      desk.startCounting();
      const auth = desk.credential(
        desk.provider.clients.public,
        {},
        {
          rewrite: (redirect) => {
            expect(redirect.searchParams.get("iss")).toBe(desk.provider.issuer);
            redirect.searchParams.set("iss", "https://other.example");
          },
        },
      );
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual(["callback_invalid", "iss_mismatch"]);
      expect(desk.counted()?.token ?? 0).toBe(0);
    },
  },
  {
    name: "no issuer in the redirect: refused where it is advertised",
    run: async (desk) => {
      const auth = desk.credential(
        desk.provider.clients.public,
        {},
        {
          rewrite: (redirect) => redirect.searchParams.delete("iss"),
        },
      );
      if (desk.facts.iss === "unadvertised") {
        expect((await auth.getToken()).source).toBe("login");
        return "no: it is sent but not advertised, so its absence proves nothing";
      }
      const error = await desk.failure(auth.getToken());
      expect([error.code, error.reason]).toEqual(["callback_invalid", "iss_missing"]);
      return "yes";
    },
  },
];
