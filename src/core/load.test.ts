// Changes when a load can fail in another way.

import { expect, test } from "vitest";
import { isOidcError, OidcError } from "./errors.ts";
import { loadPart, madeOnce } from "./load.ts";

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: somewhere`), { code });
}

test.each([
  ["EMFILE", "too_many_open_files", "ulimit -n"],
  ["ENFILE", "too_many_open_files", "ulimit -n"],
  ["ENOENT", "module_missing", "start this program again"],
  ["MODULE_NOT_FOUND", "module_missing", "start this program again"],
  ["ERR_MODULE_NOT_FOUND", "module_missing", "start this program again"],
  ["EACCES", "module_unreadable", "(EACCES)"],
])("[F-T1] a load that fails by %s says %s and what to do", async (code, reason, advice) => {
  const cause = systemError(code);
  const error: unknown = await loadPart(() => Promise.reject(cause)).catch(
    (thrown: unknown) => thrown,
  );
  if (!isOidcError(error)) throw new Error("no OidcError", { cause: error });
  expect([error.code, error.reason, error.retryable, error.cause]).toEqual([
    "runtime_unavailable",
    reason,
    true,
    cause,
  ]);
  expect(error.message).toContain(advice);
});

test("[F-T1] a file that is half written during an upgrade is a load that failed too", async () => {
  const load = () => Promise.reject(new SyntaxError("Unexpected end of input"));
  await expect(loadPart(load)).rejects.toMatchObject({ reason: "module_unreadable" });
});

test("[F-T1] an error with a code of its own stays what it is", async () => {
  const own = new OidcError("cache_write_failed", "No home.");
  await expect(loadPart(() => Promise.reject(own))).rejects.toBe(own);
});

test("[F-T1] calls at once share one making, a failure is made anew, a success is kept", async () => {
  let count = 0;
  const get = madeOnce(async () => {
    count += 1;
    if (count === 1) throw systemError("EMFILE");
    return count;
  });
  const together = await Promise.allSettled([get(), get()]);
  expect(together.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await get()).toBe(2);
  expect(await get()).toBe(2);
});
