// The option that says how a sign-in is kept, as it is seen from outside. Changes when there is another way.

import { existsSync, readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { credential, emptyHome, provider } from "./harness.ts";

test("storage: with a keychain wanted and none to be had, nothing is kept, and nothing in plain text", async () => {
  emptyHome();
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
  const wanted = credential(await provider(), { storage: "keychain" });
  const { token, source } = await wanted.getToken();
  expect(source).toBe("login");
  const path = wanted.resolvedCachePath();
  expect(existsSync(path) && readFileSync(path, "utf8").includes(token)).toBe(false);
});
