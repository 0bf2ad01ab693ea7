// Renewal ahead in operating-system processes that share one cache.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { Session } from "../../src/session/session-types.ts";
import { desk } from "../flow/fast-desk.ts";
import type { AheadCommand } from "../support/ahead-worker.ts";
import { bundleModule } from "../support/bundle-module.ts";
import { holdNextTokenRequest } from "../support/held-request.ts";
import type { IdentityProvider } from "../support/identity-provider.ts";
import { emptyHome, provider } from "../flow/harness.ts";

let worker = "";

beforeAll(async () => {
  worker = await bundleModule(join(import.meta.dirname, "../support/ahead-worker.ts"));
});

interface Given {
  readonly token: string;
  readonly source: string;
}

/** A running program. */
interface Program {
  readonly given: Given[];
  readonly errors: () => string;
  tell(command: AheadCommand): void;
  /** The token of one call. */
  ask(): Promise<string | undefined>;
  /** Resolves when this many tokens were said. */
  said(count: number): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Its input ends; the exit status. */
  finish(): Promise<number | null>;
}

/** A provider, a sign-in with a token of one hour in the cache below the test's home folder, and its shortening. */
async function signedIn(): Promise<{
  identityProvider: IdentityProvider;
  /** What a command of the same configuration would get. */
  session: Session;
  /** Puts a short-lived token into the cache; those that follow are long-lived again. */
  shorten: (lifetimeSeconds: number) => Promise<string>;
}> {
  emptyHome();
  const identityProvider = await provider();
  // Of the same key as the programs' credentials, but as a command: nothing is renewed ahead from here.
  const { session } = desk(identityProvider, { flow: "auth_code" }, { clock: systemClock });
  await session.getToken();
  return {
    identityProvider,
    session,
    shorten: async (lifetimeSeconds) => {
      identityProvider.setAccessTokenLifetime(lifetimeSeconds);
      const { token } = await session.getToken({ forceRefresh: true });
      identityProvider.setAccessTokenLifetime(3600);
      identityProvider.resetRequests();
      return token;
    },
  };
}

function start(identityProvider: IdentityProvider): Program {
  const child = spawn(
    process.execPath,
    [worker, identityProvider.issuer, identityProvider.clients.public.clientId],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  const ended = once(child, "exit");
  child.stdin.on("error", () => undefined);
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const given: Given[] = [];
  let heard = (): void => {};
  createInterface({ input: child.stdout }).on("line", (line) => {
    given.push(JSON.parse(line) as Given);
    heard();
  });
  const tell = (command: AheadCommand): void => {
    child.stdin.write(`${command}\n`);
  };
  const said = async (count: number): Promise<void> => {
    while (given.length < count) {
      await Promise.race([
        new Promise<void>((resolve) => (heard = resolve)),
        ended.then(() => Promise.reject(new Error(`the program has ended: ${errors}`))),
      ]);
    }
  };
  return {
    given,
    errors: () => errors,
    tell,
    said,
    ask: async () => {
      const count = given.length + 1;
      tell("get");
      await said(count);
      return given.at(-1)?.token;
    },
    signal: (name) => {
      child.kill(name);
    },
    finish: async () => {
      child.stdin.end();
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

test("eight processes at work: one request when the token nears its end, and no call waits for it [R01][R02]", async () => {
  const { identityProvider, shorten } = await signedIn();
  const programs = Array.from({ length: 8 }, () => start(identityProvider));
  for (const each of programs) each.tell("work");
  await Promise.all(programs.map((each) => each.said(1)));
  // Due after 3.6 to 4 seconds; the calls here would begin to wait after 11.
  await shorten(12);
  await Promise.all(programs.map((each) => each.said(3)));
  const sequences = programs.map((each) => each.given.map(({ token }) => token));
  expect(new Set(sequences.map((each) => each.join(" "))).size).toBe(1);
  // Of an http: issuer nothing is kept, so whoever renews asks for the document and the keys too.
  expect(identityProvider.requests()).toMatchObject({ token: 1, discovery: 1, jwks: 1, total: 3 });
  expect(new Set(programs.flatMap((each) => each.given.map(({ source }) => source)))).toEqual(
    new Set(["cache"]),
  );
  expect(await Promise.all(programs.map((each) => each.finish()))).toEqual(
    Array.from({ length: 8 }, () => 0),
  );
  expect(programs.map((each) => each.errors()).join("")).toBe("");
}, 90_000);

test("a process that has its token ends at once, before and after its timer is set [L13]", async () => {
  const { identityProvider } = await signedIn();
  identityProvider.resetRequests();
  const early = start(identityProvider);
  await early.ask();
  expect(await early.finish()).toBe(0);
  const late = start(identityProvider);
  await late.ask();
  // The timer is set after a second.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(await late.finish()).toBe(0);
  expect(identityProvider.requests().total).toBe(0);
}, 40_000);

test("a process that ends while it renews keeps what it gets: the old refresh token is used up [R08]", async () => {
  const { identityProvider, session, shorten } = await signedIn();
  const program = start(identityProvider);
  const short = await shorten(8);
  const request = holdNextTokenRequest(identityProvider, "answer");
  expect(await program.ask()).toBe(short);
  await request.arrived;
  const ended = program.finish();
  request.release();
  expect(await ended).toBe(0);
  const renewed = await session.getToken({ interactive: false });
  expect([renewed.token === short, renewed.source]).toEqual([false, "cache"]);
  expect(identityProvider.requests().token).toBe(1);
}, 60_000);

test("a suspended process finds on its return what another has renewed, and asks nobody", async () => {
  const { identityProvider, shorten } = await signedIn();
  const [suspended, awake] = [start(identityProvider), start(identityProvider)];
  awake.tell("work");
  await awake.said(1);
  const short = await shorten(12);
  expect(await suspended.ask()).toBe(short);
  suspended.signal("SIGSTOP");
  await awake.said(3);
  suspended.signal("SIGCONT");
  expect(await suspended.ask()).toBe(awake.given[2]?.token);
  expect(suspended.given.map(({ source }) => source)).toEqual(["cache", "cache"]);
  expect(identityProvider.requests().token).toBe(1);
  expect([await suspended.finish(), await awake.finish()]).toEqual([0, 0]);
}, 60_000);

test("a process that was suspended beyond the end of its token renews it without being asked", async () => {
  const { identityProvider, shorten } = await signedIn();
  const program = start(identityProvider);
  await program.ask();
  // The code is loaded after a second, and the token in memory is good for as long.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const short = await shorten(8);
  expect(await program.ask()).toBe(short);
  program.signal("SIGSTOP");
  await new Promise((resolve) => setTimeout(resolve, 8500));
  expect(identityProvider.requests().token).toBe(0);
  program.signal("SIGCONT");
  await expect.poll(() => identityProvider.requests().token, { timeout: 10_000 }).toBe(1);
  // This call may meet the renewal under way; it makes none of its own.
  expect(await program.ask()).not.toBe(short);
  expect(identityProvider.requests().token).toBe(1);
  expect(await program.finish()).toBe(0);
}, 60_000);

test("a process that has nothing else to do does not stay for the renewal of another one [L13]", async () => {
  const { identityProvider, session, shorten } = await signedIn();
  const program = start(identityProvider);
  await program.ask();
  // The code is loaded after a second, and the token in memory is good for as long.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const short = await shorten(12);
  const request = holdNextTokenRequest(identityProvider);
  const other = session.getToken({ forceRefresh: true });
  await request.arrived;
  expect(await program.ask()).toBe(short);
  // Due after 3.6 to 4 seconds.
  await new Promise((resolve) => setTimeout(resolve, 4500));
  // While the other's request is still on its way.
  expect(await program.finish()).toBe(0);
  request.release();
  expect((await other).source).toBe("refresh");
  expect(identityProvider.requests().token).toBe(1);
}, 60_000);
