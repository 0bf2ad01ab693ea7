// The lanes of the tests: what runs where, and how long one test may take.
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

type Lane = NonNullable<TestProjectInlineConfiguration["test"]>;

// Threads without isolation: loading the sources anew for each of a hundred files would take longer than their tests.
const unit: Lane = {
  name: "unit",
  include: ["src/**/*.test.ts", "test/structure/**/*.test.ts"],
  exclude: [...configDefaults.exclude, "src/**/*.{wire,process}.test.ts"],
  pool: "threads",
  isolate: false,
  // A guard against hanging, and no measure: a machine that does eight other things takes ten times as long.
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// Each takes long, in processes, browsers or waiting: `npm test` leaves them to the long lane.
const slow = [
  "src/cli/{completion,warm-and-full}.process.test.ts",
  "src/store/redis/*.process.test.ts",
  "src/trust/pins.process.test.ts",
  "test/e2e/{callback-port,default-sign-in,demo,kill-points,logout,many-processes,mistakes}.test.ts",
  "test/e2e/{device,exec,keychain,helpers,fetch-answers,other-tokens,pages,proxy,server-commands,start-address,token-file,trust}.test.ts",
  "test/e2e/provider-{answers,documents}.test.ts",
  "test/faults/**/*.test.ts",
  "test/flow/renewal-ahead.test.ts",
  "test/interleavings/**/*.test.ts",
];

// Providers and servers in process, over real sockets. Without isolation a worker loads the provider once.
const wire: Lane = {
  name: "wire",
  include: ["src/**/*.wire.test.ts", "test/{conformance,errors,flow,support}/**/*.test.ts"],
  exclude: [...configDefaults.exclude, ...slow],
  pool: "forks",
  isolate: false,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

// Operating-system processes, the built command line, the browser, the disk.
const processes: Lane = {
  name: "process",
  include: ["src/**/*.process.test.ts", "test/{docs,e2e,package}/**/*.test.ts"],
  exclude: [...configDefaults.exclude, ...slow],
  pool: "forks",
  isolate: false,
  testTimeout: 180_000,
  hookTimeout: 180_000,
};

// What the lanes above leave out, and their tables with every row and round.
const thorough: Lane = {
  ...processes,
  name: "thorough",
  include: [
    ...slow,
    "src/lock/protocol-processes.process.test.ts",
    "src/store/processes.process.test.ts",
    "src/store/redis/*.process.test.ts",
    "test/conformance/providers.test.ts",
  ],
  exclude: configDefaults.exclude,
  testTimeout: 300_000,
  env: { LATCHKEY_TEST_LANE: "long" },
  sequence: { groupOrder: 1 },
};

// On another Node: what touches its sockets, its cryptography, its loaders and its processes.
const wireOnAnotherNode: Lane = {
  ...wire,
  include: [
    "src/{http,interaction,lock}/**/*.wire.test.ts",
    "src/provider/{discovery,id-token,signature,token-endpoint}.wire.test.ts",
    "test/flow/{refresh,sign-in}.test.ts",
  ],
};
const processesOnAnotherNode: Lane = {
  ...processes,
  include: ["src/lock/**/*.process.test.ts", "test/e2e/{exec,loading,processes}.test.ts"],
};

// Side by side: what takes one processor, or waits.
const long: Lane = {
  name: "long",
  include: ["test/long/**/*.test.ts"],
  exclude: [...configDefaults.exclude, "test/long/crowds/**"],
  pool: "forks",
  testTimeout: 600_000,
  hookTimeout: 120_000,
  sequence: { groupOrder: 1 },
};

// One after the other, and nothing beside them: they take the whole machine.
const crowds: Lane = {
  ...long,
  name: "crowds",
  include: ["test/long/crowds/**/*.test.ts"],
  exclude: configDefaults.exclude,
  fileParallelism: false,
  sequence: { groupOrder: 2 },
};

// As many programs at the same instant as the machine can start: one that starts late finds the work done.
const programs: Lane = {
  ...thorough,
  name: "programs",
  include: ["test/e2e/processes.test.ts"],
  sequence: { groupOrder: 3 },
};

const interop: Lane = {
  name: "interop",
  include: ["test/interop/**/*.test.ts"],
  pool: "forks",
  fileParallelism: false,
  testTimeout: 600_000,
  hookTimeout: 120_000,
};

/** What each mode runs; without a mode it is what `npm test` does. */
const lanes: Readonly<Record<string, readonly Lane[]>> = {
  unit: [unit],
  test: [unit, wire, processes],
  interop: [interop],
  long: [thorough, long, crowds, programs],
  nodes: [unit, wireOnAnotherNode, processesOnAnotherNode],
};

export default defineConfig(({ mode }) => ({
  test: {
    projects: (lanes[mode] ?? []).map((lane) => ({ test: lane })),
    // Many of the long lane wait more than they work.
    maxWorkers: mode === "long" ? 3 : 2,
    dangerouslyIgnoreUnhandledErrors: false,
  },
}));
