// The file of pins: what is written, what is refused, and who may read it.
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { systemClock } from "../core/clock.ts";
import { OidcError } from "../core/errors.ts";
import { createProcessLock } from "../lock/protocol.ts";
import type { FlightLock } from "../lock/types.ts";
import { createFilePins, type FilePinsOptions } from "./file-pins.ts";
import { maxPinFileBytes } from "./pin-file.ts";
import type { Pin, PinStore } from "./pins.ts";

let scratch: string;
let folder: string;
let file: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "latchkey-pins-"));
  folder = join(scratch, "state", "latchkey");
  file = join(folder, "servers.json");
});

afterEach(() => {
  rmSync(scratch, { recursive: true, force: true });
});

function open(lock?: FlightLock): PinStore {
  return createFilePins({
    folder,
    lock: lock ?? createProcessLock({ folder, clock: systemClock, randomBytes }),
    clock: systemClock,
    randomBytes,
    maxAnswerSeconds: 5,
  });
}

const server = "https://data.example.com";
const pin: Omit<Pin, "pinnedAt"> = {
  issuer: "https://login.example.net",
  clientId: "graph-cli",
  audience: undefined,
  scopes: ["openid", "profile"],
  acceptedBy: "person",
};

async function failureOf(work: Promise<unknown>): Promise<OidcError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof OidcError) return error;
    throw error;
  }
  throw new Error("it did not fail");
}

test("what is pinned is there for the next process, in a private file of its own", async () => {
  expect(await open().read(server)).toBeUndefined();
  expect(existsSync(folder)).toBe(false);
  expect(await open().replace(server, undefined, pin)).toBe(true);
  const other = {
    ...pin,
    audience: "https://api",
    scopes: undefined,
    acceptedBy: "first-use",
  } as const;
  expect(await open().replace("grpcs://db.example.com:443", undefined, other)).toBe(true);
  expect(await open().list()).toEqual([
    { ...pin, server, pinnedAt: expect.any(Number) },
    { ...other, server: "grpcs://db.example.com:443", pinnedAt: expect.any(Number) },
  ]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readFileSync(file, "utf8")).toContain('\n      "clientId": "graph-cli",\n');
});

test("a pin is replaced and forgotten only as long as it is the expected one", async () => {
  const pins = open();
  await pins.replace(server, undefined, pin);
  const first = await pins.read(server);
  expect(await pins.replace(server, undefined, { ...pin, clientId: "other" })).toBe(false);
  expect(await pins.replace(server, first, { ...pin, clientId: "other" })).toBe(true);
  expect(await pins.replace(server, first, undefined)).toBe(false);
  expect(await pins.read(server)).toMatchObject({ clientId: "other" });
  expect(await pins.replace(server, await pins.read(server), undefined)).toBe(true);
  expect(await pins.replace(server, undefined, undefined)).toBe(true);
  // The last one takes the file along.
  expect(readdirSync(folder).filter((name) => name.includes("servers"))).toEqual([]);
});

// Each is left as it is: what is not known must not count as never seen.
test.for<[string, string]>([
  ["nothing", ""],
  ["no JSON", "{"],
  ["null", "null"],
  ["a list", "[]"],
  ["no version", '{"pins":[]}'],
  ["pins of another kind", '{"latchkeyServers":1,"pins":{}}'],
  ["a pin that is none", '{"latchkeyServers":1,"pins":[null]}'],
  [
    "a pin without an issuer",
    '{"latchkeyServers":1,"pins":[{"server":"s","clientId":"c","audience":null,"scopes":null,"acceptedBy":"person","pinnedAt":"2026-12-01T00:00:00Z"}]}',
  ],
  [
    "a pin accepted by somebody else",
    '{"latchkeyServers":1,"pins":[{"server":"s","issuer":"i","clientId":"c","audience":null,"scopes":null,"acceptedBy":"me","pinnedAt":"2026-12-01T00:00:00Z"}]}',
  ],
  [
    "scopes of another kind",
    '{"latchkeyServers":1,"pins":[{"server":"s","issuer":"i","clientId":"c","audience":null,"scopes":"a b","acceptedBy":"person","pinnedAt":"2026-12-01T00:00:00Z"}]}',
  ],
  [
    "no time",
    '{"latchkeyServers":1,"pins":[{"server":"s","issuer":"i","clientId":"c","audience":null,"scopes":null,"acceptedBy":"person","pinnedAt":"soon"}]}',
  ],
  [
    "a control character",
    '{"latchkeyServers":1,"pins":[{"server":"s","issuer":"i","clientId":"\\u001b","audience":null,"scopes":null,"acceptedBy":"person","pinnedAt":"2026-12-01T00:00:00Z"}]}',
  ],
  [
    "one server twice",
    `{"latchkeyServers":1,"pins":[${Array.from({ length: 2 }, () => '{"server":"s","issuer":"i","clientId":"c","audience":null,"scopes":null,"acceptedBy":"person","pinnedAt":"2026-12-01T00:00:00Z"}').join(",")}]}`,
  ],
  ["a later version's", '{"latchkeyServers":2,"servers":[]}'],
  ["too much", " ".repeat(maxPinFileBytes + 1)],
])("a file with %s is refused and stays as it is [C08, C10]", async ([, text]) => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, text, { mode: 0o600 });
  const pins = open();
  for (const work of [
    () => pins.read(server),
    () => pins.list(),
    () => pins.replace(server, undefined, pin),
  ]) {
    const failure = await failureOf(work());
    expect(failure.code).toBe("cache_unreadable");
    expect(failure.remedy).toBeDefined();
  }
  expect(readFileSync(file, "utf8")).toBe(text);
});

test("a file of a later version is told apart from a damaged one [C10]", async () => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, '{"latchkeyServers":2,"servers":[]}', { mode: 0o600 });
  expect((await failureOf(open().read(server))).message).toMatch(
    /a later version of Latchkey wrote it\. It was left as it is\. Update this one\.$/,
  );
});

test("an object of a program is no server of the next one: its pin stays in this process", async () => {
  const pins = open();
  expect(await pins.replace("object 4711", undefined, pin)).toBe(true);
  expect(await pins.read("object 4711")).toMatchObject(pin);
  expect(await open().read("object 4711")).toBeUndefined();
  expect(await pins.list()).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test("no member of the file reaches a prototype [P05]", async () => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const text =
    '{"latchkeyServers":1,"pins":[{"server":"a:__proto__","issuer":"i","clientId":"c","audience":null,"scopes":null,"acceptedBy":"person","pinnedAt":"2026-12-01T00:00:00Z","__proto__":{"x":1}}]}';
  writeFileSync(file, text, { mode: 0o600 });
  expect(await open().read("a:__proto__")).toMatchObject({ issuer: "i" });
  expect(await open().read("a:constructor")).toBeUndefined();
  expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
});

test.for<[string, () => void]>([
  ["that others may read", () => chmodSync(file, 0o644)],
  ["in a folder that others may enter", () => chmodSync(folder, 0o755)],
  [
    "that is a symbolic link",
    () => {
      renameSync(file, `${file}.real`);
      symlinkSync(`${file}.real`, file);
    },
  ],
  ["that has another name too", () => linkSync(file, join(scratch, "other"))],
  [
    "that is a folder",
    () => {
      rmSync(file);
      mkdirSync(file, { mode: 0o700 });
    },
  ],
])("a file %s is neither read nor written [C02, C03, C04]", async ([, spoil]) => {
  await open().replace(server, undefined, pin);
  spoil();
  const before = statSync(file).isFile() ? readFileSync(file, "utf8") : "";
  for (const work of [
    () => open().read(server),
    () => open().replace("https://other.example.com", undefined, pin),
  ]) {
    expect((await failureOf(work())).code).toBe("cache_insecure");
  }
  expect(statSync(file).isFile() ? readFileSync(file, "utf8") : "").toBe(before);
});

test("a file that would be too long is not written", async () => {
  const pins = open();
  await pins.replace(server, undefined, pin);
  const scopes = Array.from({ length: 200 }, () => "s".repeat(8000));
  const failure = await failureOf(
    pins.replace("https://other.example.com", undefined, { ...pin, scopes }),
  );
  expect([failure.code, failure.reason]).toEqual(["cache_write_failed", "too_large"]);
  expect(await pins.list()).toHaveLength(1);
});

test("without the lock across processes nothing that was written meanwhile is lost", async () => {
  // Somebody who has no lock either, in the moment before the rename.
  let isFirst = true;
  const none: FlightLock = {
    acquire: () => Promise.reject(new OidcError("cache_locked", "Held.")),
  };
  const pins = createFilePins({
    folder,
    lock: none,
    clock: systemClock,
    randomBytes: (length) => {
      if (isFirst) {
        isFirst = false;
        const theirs = {
          ...pin,
          server: "https://theirs.example.com",
          pinnedAt: new Date(0),
          audience: null,
        };
        writeFileSync(file, JSON.stringify({ latchkeyServers: 1, pins: [theirs] }), {
          mode: 0o600,
        });
      }
      return randomBytes(length);
    },
    maxAnswerSeconds: 5,
  });
  expect(await pins.replace(server, undefined, pin)).toBe(true);
  expect((await pins.list()).map((each) => each.server)).toEqual([
    "https://theirs.example.com",
    server,
  ]);
});

interface Question<Answer> {
  readonly ask: () => Promise<Answer>;
  /** Resolves when it is asked. */
  readonly asked: Promise<void>;
  readonly accept: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
}

function question<Answer>(): Question<Answer> {
  let accept: (answer: Answer) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  let tell: () => void = () => undefined;
  const answer = new Promise<Answer>((resolve, reject) => {
    accept = resolve;
    fail = reject;
  });
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const ask = (): Promise<Answer> => {
    tell();
    return answer;
  };
  return { ask, asked, accept, fail };
}

function openWaiting(onWaiting: FilePinsOptions["onWaiting"]): PinStore {
  const lock = createProcessLock({ folder, clock: systemClock, randomBytes });
  const clock = systemClock;
  return createFilePins({ folder, lock, clock, randomBytes, maxAnswerSeconds: 5, onWaiting });
}

test("a question is asked once, and whoever waited for it reads the pin again", async () => {
  const { ask, asked, accept } = question<string>();
  const first = open().askAlone(server, undefined, ask);
  await asked;
  const waited: unknown[] = [];
  const other = openWaiting((holder) => {
    waited.push(holder);
    accept("accepted");
  });
  const never = (): Promise<never> => Promise.reject(new Error("it was asked twice"));
  const second = other.askAlone(server, undefined, never);
  expect(await first).toBe("accepted");
  expect(await second).toBeUndefined();
  expect(waited).toContainEqual({ processId: process.pid, phase: "login" });
});

test("another server's question is not waited for", async () => {
  const { ask, asked, accept } = question<string>();
  const first = open().askAlone(server, undefined, ask);
  await asked;
  const one = (): Promise<number> => Promise.resolve(1);
  expect(await open().askAlone("https://other.example.com", undefined, one)).toBe(1);
  accept("accepted");
  expect(await first).toBe("accepted");
});

test.for<[string, OidcError, string]>([
  [
    "declined",
    new OidcError("issuer_untrusted", "No.", { reason: "declined" }),
    "issuer_untrusted",
  ],
  ["aborted, and then asked there", new OidcError("aborted", "Ctrl-C."), "answered"],
])("a question that was %s", async ([, error, expected]) => {
  const { ask, asked, fail } = question<never>();
  const first = failureOf(open().askAlone(server, undefined, ask));
  await asked;
  const second = openWaiting(() => fail(error))
    .askAlone(server, undefined, () => Promise.resolve("answered"))
    .catch((failure: unknown) => (failure as OidcError).code);
  expect((await first).code).toBe(error.code);
  expect(await second).toBe(expected);
});

test("a wait for somebody else's question ends with its signal", async () => {
  const { ask, asked, accept } = question<string>();
  const first = open().askAlone(server, undefined, ask);
  await asked;
  const stop = new AbortController();
  const other = openWaiting(() => stop.abort(new Error("enough")));
  await expect(other.askAlone(server, stop.signal, ask)).rejects.toThrow("enough");
  accept("accepted");
  expect(await first).toBe("accepted");
});
